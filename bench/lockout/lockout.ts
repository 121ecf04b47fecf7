/**
 * Changes that would shut the engine out of real hosts, over real SSH as an unprivileged login with sudo. After each one the host is
 * looked at from outside: a fresh login must work, and every path must be as it was before.
 */
import { parseArgs } from 'node:util';
import { sh } from '../../engine/shell/sh.ts';
import { compareTrees, describeDifferences, MAY_DIFFER, snapshotTree } from '../../lab/compare.ts';
import { type Lab, type LabHost, openLab } from '../../lab/hosts.ts';
import { inParallel, waitFor } from '../../lab/wait.ts';
import { guardedHost } from '../../test/guardedHost.ts';
import { labTransport } from '../../test/hostHarness.ts';
import { progress, type Result } from '../report.ts';
import { ATTEMPTS, type Attempt } from './attempts.ts';
import { BACK_WITHIN_MS, strike, WINDOW_SECONDS } from './strikes.ts';
import { resultOf, type Tried } from './table.ts';

/** The tools' backups are restored too where nobody else changed anything. */
const ALLOWED = MAY_DIFFER.filter(({ pattern }) => !/^\/etc\/[a-z]+-$/.test(pattern));

export async function lockout(argv: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...argv],
    options: { only: { type: 'string' }, hosts: { type: 'string', default: '2' } },
  });
  const chosen = ATTEMPTS.filter(({ n }) => values.only === undefined || n === Number(values.only));
  const lab = await openLab();
  try {
    const tried: Tried[] = [];
    const free = await lab.up(Math.min(Number(values.hosts), chosen.length));
    await inParallel(chosen, free.length, async (attempt) => {
      const host = free.pop();
      if (host === undefined) throw new Error('no host is free');
      const one = await tryOne(host, attempt);
      progress(line(one));
      tried.push(one);
      // what is not as before would make the next attempt look bad
      free.push(one.lockedOut || one.differences !== '' ? await another(lab, attempt.n) : host);
    });
    return resultOf(tried.sort((a, b) => a.attempt.n - b.attempt.n));
  } finally {
    await lab.down();
  }
}

async function another(lab: Lab, n: number): Promise<LabHost> {
  const [host] = await lab.up([`after-${n}`]);
  if (host === undefined) throw new Error('the lab gave no host');
  return host;
}

async function tryOne(host: LabHost, attempt: Attempt): Promise<Tried> {
  const before = await snapshotTree(host);
  const guarded = guardedHost(host);
  const run = `lock-${attempt.n}`;
  const started = performance.now();
  try {
    const believed = await strike({ host, guarded, run, mechanism: attempt.mechanism }, attempt.strike);
    const lockedOut = believed.kind === 'not confirmed' && !(await isBack(host, run));
    const differences = describeDifferences(await compareTrees(before, await snapshotTree(host), ALLOWED));
    const units = (await host.exec("systemctl list-units --all --plain --no-legend 'doaas-*'")).stdout;
    return {
      attempt,
      believed,
      lockedOut: lockedOut || !(await canLogIn(host)),
      differences: `${differences}${units}`,
      lateSeconds: await late(host, run),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await guarded.close();
  }
}

async function isBack(host: LabHost, run: string): Promise<boolean> {
  const over = async () => {
    const { stdout } = await host.exec(
      `cat /var/lib/doaas/runs/${run}/undo.journal; systemctl list-units --plain --no-legend doaas-${run}-undo.service`,
    );
    return /\tend\trolled-back\n$/.test(stdout);
  };
  return waitFor(`${run} to be taken back`, BACK_WITHIN_MS, over).then(
    () => true,
    () => false,
  );
}

async function canLogIn(host: LabHost): Promise<boolean> {
  const transport = labTransport(host);
  try {
    const ran = await transport.withFreshSession(guardedHost(host).target, (session) =>
      session.run(sh`id -u`, { timeoutSeconds: 20 }),
    );
    return ran.stdout.trim() === '0';
  } catch (error) {
    progress(`${host.name}: ${String(error)}`);
    return false;
  } finally {
    await transport.close();
  }
}

/** How much later than its time the host began to take the run back; undefined where a restart did it. Seconds. */
async function late(host: LabHost, run: string): Promise<number | undefined> {
  const { stdout } = await host.exec(`cat /var/lib/doaas/runs/${run}/apply.journal`);
  const lines = stdout.split('\n').map((each) => each.split('\t'));
  const at = lines.findIndex(([, , event]) => event === 'reverted');
  const [reverted, before] = [lines[at], lines[at - 1]];
  if (reverted === undefined || before === undefined || !/in time/.test(reverted[3] ?? '')) return undefined;
  return before[2] === 'end' ? Number(reverted[0]) - Number(before[0]) - WINDOW_SECONDS : undefined;
}

function line({ attempt, believed, lockedOut, differences, seconds }: Tried): string {
  const how = lockedOut
    ? 'LOCKED OUT'
    : differences === ''
      ? 'as before'
      : `NOT RESTORED: ${differences.trim()}`;
  return `${attempt.n} ${attempt.mechanism} (${attempt.strike}): ${believed.kind}, ${how}, ${seconds.toFixed(1)} s (${believed.because.slice(0, 110)})`;
}
