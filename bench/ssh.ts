import { readFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import type { Transport } from '../engine/hosts/session.ts';
import type { HostTarget } from '../engine/hosts/target.ts';
import { createTransport } from '../engine/hosts/transport.ts';
import { sh } from '../engine/shell/sh.ts';
import { openLab } from '../lab/hosts.ts';

/** Cold login and one script on N lab hosts at once: our transport beside `ssh2` as it comes. `tsx bench/ssh.ts [N]` */
const RUNS = 5;

async function main(count: number): Promise<void> {
  const lab = await openLab();
  try {
    const hosts = await lab.up(count);
    const targets = hosts.map((host): HostTarget => ({ ...host, become: 'none', site: 'default' }));
    const path = hosts[0]?.privateKeyPath ?? '';
    const pem = readFileSync(path);
    const transport = createTransport({
      credentials: { kind: 'credentials', keys: [{ kind: 'key-file', path }] },
    });
    const times = { bare: [] as number[], transport: [] as number[], warm: [] as number[] };
    for (let run = 0; run <= RUNS; run += 1) {
      const bare = await timed(() => Promise.all(targets.map((target) => bareLogin(target, pem))));
      const cold = await timed(() => all(transport, targets));
      const warm = await timed(() => all(transport, targets));
      await transport.empty();
      if (run === 0) continue; // just-in-time compilation and the hosts' page caches
      times.bare.push(bare);
      times.transport.push(cold);
      times.warm.push(warm);
    }
    await transport.close();
    const result = {
      hosts: count,
      bare_s: median(times.bare),
      cold_s: median(times.transport),
      warm_s: median(times.warm),
    };
    console.table([result]);
    console.log(JSON.stringify(result));
  } finally {
    await lab.down();
  }
}

function all(transport: Transport, targets: readonly HostTarget[]): Promise<unknown> {
  return Promise.all(
    targets.map((target) =>
      transport.withSession(target, (s) => s.run(sh`uname -n`, { timeoutSeconds: 60 })),
    ),
  );
}

function bareLogin(target: HostTarget, privateKey: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on('error', reject);
    client.on('ready', () =>
      client.exec('uname -n', (error, channel) => {
        if (error !== undefined) return reject(error);
        channel.resume();
        channel.on('close', () => {
          client.end();
          resolve();
        });
      }),
    );
    client.connect({ host: target.address, port: target.port, username: target.user, privateKey });
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 1000) / 1000;
}

await main(Number(process.argv[2] ?? 10));
