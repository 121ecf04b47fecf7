import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { compareTrees, MAY_DIFFER, type MayDiffer, type Snapshot, snapshotTree } from '../../lab/compare.ts';
import type { Scene } from '../../test/chaos.ts';
import { until } from '../../test/until.ts';
import type { CheckRun } from '../../test/world.ts';
import { type Counted, count, EFFECTS_LOG, STARTS_LOG, type Wanted } from './change.ts';
import type { Pull } from './ends.ts';
import { losesPower, type Trial } from './trial.ts';
import type { Ended, HostObserved, Observed } from './verdict.ts';
import { openRuns } from './workflows.ts';

/** Once it has ended: checks of GitHub and locks follow in the next moments. Seconds. */
const SETTLES_WITHIN = 30;
/** Nothing is shown later than this after what was shown before it, once a run has ended. */
const QUIET_MS = 1_000;

/** Beside what differs between any two moments of a host (`MAY_DIFFER`). */
const MAY_ALSO_DIFFER: readonly MayDiffer[] = [
  { pattern: EFFECTS_LOG, reason: 'written by the effects themselves, and counted' },
  { pattern: STARTS_LOG, reason: 'written by the service at each start, and counted' },
  {
    pattern: '/var/cache/apt/*pkgcache.bin.*',
    reason: 'apt leaves what it has of its cache where the disk is full or power fails while it writes it',
  },
];

export interface Before {
  readonly counted: readonly Counted[];
  readonly trees: readonly Snapshot[];
}

export async function lookBefore({ hosts }: Scene, name: string): Promise<Before> {
  const [counted, trees] = await Promise.all([
    Promise.all(hosts.map((host) => count(host, name))),
    Promise.all(hosts.map(snapshotTree)),
  ]);
  return { counted, trees };
}

/** Everything that a run has left, once it changes no more. */
export async function look(
  scene: Scene,
  opened: Pull,
  revert: Pull | undefined,
  ended: Ended,
  wanted: Wanted,
  before: Before,
  trial: Trial | undefined,
): Promise<Observed> {
  const locks = await settled(
    () => heldIn(scene),
    (held) => held.length === 0,
  );
  return {
    ended,
    locks,
    ...(await saidAtLast(scene, opened, revert)),
    hosts: await Promise.all(scene.hosts.map((_, n) => observe(scene, n, wanted, before, trial))),
  };
}

type Said = Pick<Observed, 'merged' | 'checks' | 'revertChecks' | 'comment'>;

/** What GitHub shows once nothing of it is open and it changes no more. */
async function saidAtLast({ world }: Scene, opened: Pull, revert: Pull | undefined): Promise<Said> {
  const read = async (): Promise<Said> => ({
    merged: await world.merged(opened.pull),
    checks: await world.checks(opened.sha),
    revertChecks: revert === undefined ? [] : await world.checks(revert.sha),
    comment: await world.comment(opened.pull),
  });
  const isOpen = ({ checks, revertChecks }: Said): boolean =>
    [...checks, ...revertChecks].some((check) => check.status !== 'completed' || isTriedAgain(check)) ||
    (revert !== undefined && !revertChecks.some(({ name }) => name === 'doaas/plan'));
  const twice = async (): Promise<Said | undefined> => {
    const first = await read();
    if (isOpen(first)) return undefined;
    await pause(QUIET_MS);
    return isDeepStrictEqual(first, await read()) ? first : undefined;
  };
  return until(twice, 'the end of it', SETTLES_WITHIN).catch(read);
}

/** The engine says of it itself that it is not the last word: servers were away. */
function isTriedAgain({ conclusion, summary }: CheckRun): boolean {
  return conclusion === 'failure' && summary.includes('tried again by itself');
}

async function observe(
  { hosts }: Scene,
  n: number,
  wanted: Wanted,
  before: Before,
  trial: Trial | undefined,
): Promise<HostObserved> {
  const [host, counted, tree] = [hosts[n], before.counted[n], before.trees[n]];
  if (host === undefined || counted === undefined || tree === undefined)
    throw new Error(`there is no host ${n}`);
  return {
    name: host.name,
    lostPower: losesPower(trial, n),
    before: counted,
    after: await count(host, wanted.name),
    differences: await compareTrees(tree, await snapshotTree(host), [...MAY_DIFFER, ...MAY_ALSO_DIFFER]),
  };
}

async function heldIn(scene: Scene): Promise<readonly string[]> {
  const stored = scene.look(async (store) => [
    ...(await store.locks.list()).map(({ host, pull }) => `${host} is locked for ${pull}`),
    ...(await store.locks.queue()).map(({ runId }) => `${runId} waits for locks`),
    ...(await store.runs.open()).map(({ id, state }) => `the run ${id} is ${state}`),
    ...(await store.hosts.needRecovery()).map(({ identity }) => `${identity} needs recovery`),
  ]);
  const running = openRuns(scene.world.engine.pid());
  return [...(await stored), ...(await running).map((id) => `the workflow ${id} still runs`)];
}

/** What it comes to within a while, or what it is then. */
async function settled<T>(read: () => Promise<T>, isFinal: (value: T) => boolean): Promise<T> {
  const final = async (): Promise<T | undefined> => {
    const value = await read().catch(() => undefined);
    return value !== undefined && isFinal(value) ? value : undefined;
  };
  return until(final, 'the end of it', SETTLES_WITHIN).catch(read);
}
