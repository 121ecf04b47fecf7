import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { HostError } from '../../engine/hosts/host-error.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { APT_CACHE_PORT } from '../../lab/settings.ts';
import { waitFor } from '../../lab/wait.ts';
import type { GuardedHost } from '../../test/guardedHost.ts';
import { withConfiguration } from '../../test/hostHarness.ts';
import { MECHANISMS, type Mechanism } from './mechanisms.ts';

/** What happens beside the mechanism. */
export const STRIKES = {
  none: 'the engine looks after it',
  'engine killed': 'engine killed between apply and confirm',
  'power lost': 'power lost between apply and confirm',
  restarted: 'restarted between apply and confirm',
  'power lost midway': 'power lost before the last step',
  'runner killed': "the batch's own unit killed before the last step, and the engine gone",
  'archive gone': 'the archive of packages out of reach, and the engine gone',
} as const;
export type Strike = keyof typeof STRIKES;

/** Of a run that nobody waits for. Seconds. */
export const WINDOW_SECONDS = 4;
/** Of a run that is over, until it is taken back whole and the login works. ms. */
export const BACK_WITHIN_MS = 60_000;
/** Of one that must end by a restart. */
const LONG_SECONDS = 600;

export interface Struck {
  readonly host: LabHost;
  readonly guarded: GuardedHost;
  readonly run: string;
  readonly mechanism: Mechanism;
}

/** `because`: what the engine's login met with. */
export interface Believed {
  readonly kind: 'confirmed' | 'undone' | 'not confirmed';
  readonly because: string;
}

/** Applies and strikes. */
export async function strike(struck: Struck, how: Strike): Promise<Believed> {
  const { host, guarded, run, mechanism } = struck;
  const spec = MECHANISMS[mechanism](guarded.payload);
  switch (how) {
    case 'none': {
      const end = await applied(struck, WINDOW_SECONDS);
      const proof = await guarded.prove(run, WINDOW_SECONDS);
      if (proof.kind !== 'confirmed') return { kind: 'not confirmed', because: proof.because };
      // a step that fails is taken back by the engine while the login works
      if (end !== 'applied') await guarded.undo(run);
      return { kind: end === 'applied' ? 'confirmed' : 'undone', because: `the apply ended ${end}` };
    }
    case 'engine killed':
      await killedEngine(struck);
      break;
    case 'power lost':
    case 'restarted':
      await applied(struck, LONG_SECONDS);
      await (how === 'restarted' ? host.stop() : host.kill());
      await host.start();
      break;
    case 'archive gone':
      await applied(struck, WINDOW_SECONDS);
      await withoutArchive(host, run);
      break;
    case 'power lost midway':
    case 'runner killed': {
      const window = how === 'runner killed' ? WINDOW_SECONDS : LONG_SECONDS;
      const slow = {
        scripts: { slow: { check: 'false', apply: 'sleep 60', undo: ':', timeoutSeconds: 90 } },
      };
      const cut = guarded.apply(withConfiguration(spec, slow), run, window).catch(() => undefined);
      await waitFor(`${run} to change something`, 20_000, async () => {
        const { stdout } = await host.exec(
          `grep -c 'slow	started' /var/lib/doaas/runs/${run}/apply.journal`,
        );
        return Number(stdout) > 0;
      });
      if (how === 'runner killed') await host.exec(`systemctl kill -s KILL doaas-${run}-apply.service`);
      else {
        await host.kill();
        await host.start();
      }
      await cut;
    }
  }
  return { kind: 'not confirmed', because: STRIKES[how] };
}

/** Until the run is taken back: who needs the archive for it would not come to an end in time. */
async function withoutArchive(host: LabHost, run: string): Promise<void> {
  const table =
    'nft add table inet cut; nft add chain inet cut out { type filter hook output priority 0 \\; }';
  await host.exec(`${table}; nft add rule inet cut out tcp dport ${APT_CACHE_PORT} reject with tcp reset`);
  await waitFor(`${run} to be taken back without an archive`, BACK_WITHIN_MS, async () => {
    const { stdout } = await host.exec(`cat /var/lib/doaas/runs/${run}/undo.journal 2>/dev/null || :`);
    return /\tend\t/.test(stdout);
  }).finally(() => host.exec('nft delete table inet cut'));
}

/** Where the change cuts the engine's connection, too, only the host knows how it ended. */
async function applied({ guarded, run, mechanism }: Struck, seconds: number): Promise<string> {
  const spec = MECHANISMS[mechanism](guarded.payload);
  return guarded.apply(spec, run, seconds).then(
    ({ end }) => end,
    (error: unknown) => {
      if (!(error instanceof HostError)) throw error;
      return error.type;
    },
  );
}

/** An engine's process of its own, killed as soon as it has heard that all is applied. */
async function killedEngine({ host, run, mechanism }: Struck): Promise<void> {
  const { name, address, port, hostKeys, privateKeyPath } = host;
  const script = fileURLToPath(new URL('./engine.ts', import.meta.url));
  const work = { host: { name, address, port, hostKeys, privateKeyPath }, run, mechanism };
  const child = spawn(process.execPath, [...process.execArgv, script, JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const _line of createInterface({ input: child.stdout })) child.kill('SIGKILL');
  await ended;
}
