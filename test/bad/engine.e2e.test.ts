import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { npmStart } from '../../engine/cli/npmStart.ts';
import { inRepository } from '../../engine/cli/passOn.ts';
import { createAppKey } from '../../lab/github/accounts.ts';
import type { Delivery } from '../../lab/github/deliveries.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { childrenOf, processStart, signal } from '../../lab/processes.ts';
import { SECRET } from '../secret.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const MAIN = fileURLToPath(new URL('../../engine/main.ts', import.meta.url));

describe('an engine that cannot start', { timeout: 3 * MINUTES }, () => {
  it('names every setting that is missing or wrong, and ends with 1', async () => {
    const { code, said } = await start({
      DOAAS_PORT: 'eighty',
      GITHUB_APP_PRIVATE_KEY: 'not a key',
      GITHUB_WEBHOOK_SECRET: 'short',
      TEMPORAL_TLS_CERT: '/nowhere',
    });
    expect(code).toBe(1);
    expect(said).toContain('The engine cannot start; 5 of its settings must be corrected:');
    expect(said).toContain('- DOAAS_PORT is "eighty": ');
    expect(said).toContain('- GITHUB_APP_ID is missing. Set GITHUB_APP_ID.');
    expect(said).toContain('- GITHUB_APP_PRIVATE_KEY: ');
    expect(said).toContain('- GITHUB_WEBHOOK_SECRET: ');
    expect(said).toContain('- TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY belong together. Set both or neither.');
    expect(said).toContain('All settings: docs/configuration.md');
    // what is secret is not repeated, though it is wrong
    expect(said).not.toContain('not a key');
    expect(said).not.toContain('short"');
    expect(said).not.toContain('    at ');
  });

  it('names a key for the hosts that it cannot use, and ends with 1', async () => {
    const { code, said } = await start({
      GITHUB_APP_ID: '1',
      GITHUB_APP_PRIVATE_KEY: await createAppKey(),
      GITHUB_WEBHOOK_SECRET: SECRET,
      DOAAS_SSH_KEY_FILE: '/does/not/exist',
    });
    expect(code).toBe(1);
    expect(said).toMatch(
      /settings must be corrected:\n {2}- DOAAS_SSH_KEY_FILE: the private key file \/does\/not\/exist cannot be read: .*no such file/,
    );
    expect(said).not.toContain('    at ');
  });

  it('says that Temporal does not answer, and ends with 1', async () => {
    const { code, said } = await start({
      GITHUB_APP_ID: '1',
      GITHUB_APP_PRIVATE_KEY: await createAppKey(),
      GITHUB_WEBHOOK_SECRET: SECRET,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
    });
    expect(code).toBe(1);
    expect(said).toMatch(
      /The engine cannot go on: Temporal does not answer at 127\.0\.0\.1:1 after 5 tries \(.+\)\. Start it, correct TEMPORAL_ADDRESS, or unset it to use the embedded server\./,
    );
    expect(said).not.toContain('    at ');
  });

  async function start(environment: Readonly<Record<string, string>>) {
    const dir = await mkdtemp(join(tmpdir(), 'doaas-bad-start-'));
    try {
      const child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
        env: { PATH: process.env.PATH, HOME: process.env.HOME, DOAAS_DATA_DIR: dir, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
      return { code, said };
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
});

type Unit = Readonly<Record<string, string>>;

/** Settings of the unit that docs/operations.md shows. */
async function documentedUnit(): Promise<Unit> {
  const page = await readFile(inRepository('docs/operations.md'), 'utf8');
  const [, text = ''] = /^```ini\n(.*?)^```$/ms.exec(page) ?? [];
  return Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
}

/**
 * As systemd.kill(5): SIGTERM to the main process only with `KillMode=mixed`, else to all of the unit; what is left when the main one has
 * ended, or after TimeoutStopSec, gets SIGKILL. Returns what needed that. Stands in for a systemd that reaches the lab's GitHub.
 */
async function stopAsSystemd({ KillMode, TimeoutStopSec }: Unit, main: number): Promise<readonly string[]> {
  const below = await descendantsOf(main);
  const starts = new Map(
    await Promise.all(below.map(async (pid) => [pid, await processStart(pid)] as const)),
  );
  for (const pid of KillMode === 'mixed' ? [main] : [main, ...below]) signal(pid, 'SIGTERM');
  await until(
    async () => ((await processStart(main)) === undefined ? true : undefined),
    'the main process to end',
    Number(TimeoutStopSec),
  );
  const left: string[] = [];
  for (const [pid, start] of starts) {
    if (start === undefined || (await processStart(pid)) !== start) continue;
    left.push(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => `${pid}`));
    signal(pid, 'SIGKILL');
  }
  return left;
}

async function descendantsOf(pid: number): Promise<readonly number[]> {
  const children = await childrenOf(pid);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}

/** Runs it with mounts of its own, which go with its process, however that ends. */
const withMounts = (script: string): readonly string[] => [
  'unshare',
  '-m',
  'sh',
  '-ec',
  `${script}; exec "$@"`,
  'sh',
];
/** The engine's data on a file system of its own. */
const SMALL_DISK = withMounts('mount -t tmpfs -o size=96m tmpfs "$DOAAS_DATA_DIR"');
/** The engine's folder belongs to somebody else. */
const UNWRITABLE = withMounts(
  'root=$(pwd -P); mount --bind "$root" "$root"; mount -o remount,bind,ro "$root"; cd "$root"; if touch dist/own 2>/dev/null; then exit 1; fi',
);

describe('an engine that loses what it stands on', { timeout: 5 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  const begin = async (through: readonly string[] = [], command?: readonly string[]): Promise<void> => {
    world = await startWorld({
      engine: 'process',
      ...(command === undefined ? {} : { command }),
      through,
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
    host = world.hosts[0] as LabHost;
  };
  afterEach(() => world?.close());

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const seen = (path: string): Promise<true> =>
    until(async () => ((await on(`test -e ${path} && echo yes`)) === 'yes' ? true : undefined), path, 60);
  const slow = (name: string) => ({
    'slow.yaml': configuration(name, {
      scripts: {
        [name]: {
          check: `test -e /var/tmp/${name}.done`,
          apply: `echo ran >> /var/tmp/${name}.ran; sleep 5; touch /var/tmp/${name}.done`,
        },
      },
    }),
  });

  async function approved(name: string) {
    const { pull, sha } = await world.open(name, slow(name));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    return { pull, sha };
  }

  async function isAppliedOnce(name: string, { pull, sha }: { pull: number; sha: string }): Promise<void> {
    await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 120 });
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge', 90);
    expect(await on(`cat /var/tmp/${name}.ran`)).toBe('ran');
  }

  it('Temporal dies: it says so and ends with 1 for its supervisor, and the run carries on after a start', async () => {
    await begin();
    const run = await approved('orphan');
    await world.say(run.pull, '/doaas apply');
    await seen('/var/tmp/orphan.ran');
    process.kill(await temporalOf(world.dataDir), 'SIGKILL');
    expect(await world.engine.ended()).toBe(1);
    expect(world.engine.output()).toMatch(
      /The engine cannot go on: the Temporal server ended \(.+\); its log \S+temporal\.sqlite\.log ends with:/,
    );
    expect(world.engine.output()).toContain('Start it again');
    await world.engine.start();
    await isAppliedOnce('orphan', run);
  });

  it('its supervisor stops it as docs/operations.md says: in order, and the run carries on after a start', async () => {
    const unit = await documentedUnit();
    const { environment, flags } = await npmStart();
    const starts = ['/usr/bin/node', ...flags, 'dist/engine.js'].join(' ');
    expect(unit.ExecStart).toBe(starts);
    for (const [name, value] of Object.entries(environment))
      expect(unit.Environment).toContain(`${name}=${value} `);
    await begin(UNWRITABLE, starts.replace('/usr/bin/', '').split(' '));
    const run = await approved('stopped');
    await world.say(run.pull, '/doaas apply');
    await seen('/var/tmp/stopped.ran');
    const temporal = await temporalOf(world.dataDir);
    const left = await stopAsSystemd(unit, world.engine.pid());
    // what of it died before its time is said on the way
    expect(world.engine.output()).not.toMatch(/cannot go on|did not stop cleanly|Temporal server ended/);
    expect(left).toEqual([]);
    expect(await processStart(temporal)).toBeUndefined();
    await world.engine.start();
    await isAppliedOnce('stopped', run);
  });

  it('it is stopped while a server does not answer: it ends within 15 s all the same, in order, and reads anew after a start', async () => {
    await begin();
    const stat = '/usr/local/bin/stat';
    // the last file of the store that its closing removes
    const isOpen = async () => (await readdir(world.dataDir)).includes('store.sqlite.owner-journal');
    await on(
      `printf '#!/bin/sh\\ntouch /run/hangs\\nexec sleep 600\\n' >${stat}.new && chmod 755 ${stat}.new && mv ${stat}.new ${stat}`,
    );
    const files = { 'motd.yaml': configuration('hangs', { files: { '/etc/motd': { content: 'hi\n' } } }) };
    const { sha } = await world.open('hangs', files);
    await seen('/run/hangs');
    const temporal = await temporalOf(world.dataDir);
    expect(await isOpen()).toBe(true);
    const ended = world.engine.ended();
    const pid = world.engine.pid();
    signal(pid, 'SIGTERM');
    await until(async () => ((await processStart(pid)) === undefined ? true : undefined), 'its end', 15);
    expect(await ended).toBe(0);
    expect(world.engine.output()).not.toMatch(/cannot go on|did not stop cleanly|Temporal server ended/);
    expect(await processStart(temporal)).toBeUndefined();
    expect(await isOpen()).toBe(false);
    await on(`rm ${stat}`);
    await world.engine.start();
    await world.check(sha, 'doaas/plan', { conclusion: 'success', seconds: 90 });
  });

  it('Temporal does not answer: webhooks are taken all the same, survive a crash, and are handed on when it does', async () => {
    await begin();
    const { pull, sha } = await world.open('waits', slow('waits'));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.webhooks.settled();
    await inbox(0);

    process.kill(await temporalOf(world.dataDir), 'SIGSTOP');
    const first = await world.say(pull, '/doaas status');
    expect(await statusOf(first)).toBe(202);
    await inbox(1);
    const ready = await fetch(`${world.engine.url()}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      parts: { inbox: 'ok', store: 'ok', temporal: expect.stringMatching(/./) },
    });
    process.kill(await temporalOf(world.dataDir), 'SIGCONT');
    await world.answer(pull, first, /Nothing of this pull request has run/);
    await inbox(0);

    const temporal = await temporalOf(world.dataDir);
    process.kill(temporal, 'SIGSTOP');
    const second = await world.say(pull, '/doaas help');
    expect(await statusOf(second)).toBe(202);
    await world.engine.kill();
    process.kill(temporal, 'SIGKILL');
    await world.engine.start();
    await world.answer(pull, second, /doaas plan/);
    await inbox(0);
  });

  /** Waits until so many deliveries wait. */
  async function inbox(count: number): Promise<void> {
    const metric = async (): Promise<string> =>
      /^doaas_inbox_waiting .*/m.exec(await (await fetch(`${world.engine.url()}/metrics`)).text())?.[0] ??
      'no such metric';
    const wanted = `doaas_inbox_waiting ${count}`;
    await until(async () => ((await metric()) === wanted ? true : undefined), wanted, 30, metric);
  }

  /** What GitHub was answered. */
  async function statusOf(comment: number): Promise<number | undefined> {
    const [attempt] = (await deliveryOf(comment)).attempts;
    return attempt?.status;
  }

  const deliveryOf = (comment: number): Promise<Delivery> =>
    until(
      async () =>
        world.github.webhooks
          .all()
          .find(
            ({ body, attempts }) =>
              JSON.parse(body).comment?.id === comment && attempts[0]?.status !== undefined,
          ),
      'the delivery of the comment',
    );

  it('the disk of its store is full: deliveries are refused, the run waits, and goes on when there is room', async () => {
    await begin(SMALL_DISK);
    const run = await approved('full');
    await world.say(run.pull, '/doaas apply');
    await seen('/var/tmp/full.ran');
    const ballast = `/proc/${world.engine.pid()}/root${world.dataDir}/ballast`;
    await fill(ballast);
    const refused = await refusedDelivery(run.pull);
    expect(refused.attempts.at(-1)?.status).toBe(503);
    await seen('/var/tmp/full.done');
    await rm(ballast);
    await until(
      async () => ((await world.github.webhooks.redeliver(refused.guid)) === 202 ? true : undefined),
      'the redelivery to be taken',
      60,
    );
    await isAppliedOnce('full', run);
    // those that were taken while there was room in the log are not lost either
    for (const comment of comments) await world.answer(run.pull, comment, /\(apply\): (running|applied)/);
  });

  const comments: number[] = [];

  /** Databases have some room of their own in their logs, so the first deliveries may still be taken. */
  async function refusedDelivery(pull: number): Promise<Delivery> {
    const said = await world.say(pull, '/doaas status');
    comments.push(said);
    const delivery = await deliveryOf(said);
    if (delivery.attempts[0]?.status === 503) return delivery;
    const statuses: number[] = [];
    await until(
      async () => {
        statuses.push(...(await Promise.all(Array.from({ length: 20 }, () => copyOf(delivery)))));
        return statuses.includes(503) ? true : undefined;
      },
      'a delivery to be refused',
      60,
      async () => `${statuses.slice(-40)} ${world.engine.output().slice(-1500)}`,
    );
    return refusedDelivery(pull);
  }

  /** The same event as another delivery. */
  async function copyOf({ body, headers }: Delivery): Promise<number> {
    const response = await fetch(`${world.engine.url()}/webhooks/github`, {
      method: 'POST',
      headers: { ...headers, 'x-github-delivery': randomUUID() },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  }
});

/** Process id of the embedded server, by its database. */
async function temporalOf(dataDir: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (args.includes(join(dataDir, 'temporal.sqlite')) && args[1] === 'server') return Number(pid);
  }
  throw new Error('no Temporal server of this engine runs');
}

/** Until not one byte more goes in. */
async function fill(path: string): Promise<void> {
  for (const size of [1 << 20, 1 << 12, 1]) {
    for (;;) {
      const full = await writeFile(path, Buffer.alloc(size), { flag: 'a' }).then(
        () => false,
        () => true,
      );
      if (full) break;
    }
  }
}
