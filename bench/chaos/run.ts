import { setTimeout as pause } from 'node:timers/promises';
import { compareTrees, MAY_DIFFER, type Snapshot, snapshotTree } from '../../lab/compare.ts';
import type { Scene } from '../../test/chaos.ts';
import { until } from '../../test/until.ts';
import { type Counted, changeOf, count, EFFECTS_LOG, STARTS_LOG, type Wanted } from './change.ts';
import { strike } from './strike.ts';
import type { Mode, Trial } from './trial.ts';
import type { Ended, HostObserved, Observed } from './verdict.ts';

/** A run with its fault, its retries and what it waits for. Seconds. */
const ENDS_WITHIN = 300;
const PLANNED_WITHIN = 120;
/** Once it has ended: checks of GitHub and locks follow in the next moments. Seconds. */
const SETTLES_WITHIN = 30;
/** A run whose plan did not hold while a host was away. Seconds. */
const BEGINS_AGAIN_WITHIN = 60;
const LOOK_EVERY_MS = 500;

/** What the effects themselves write is counted, not compared; the filler of a disk may be seen half gone. */
const OWN = [EFFECTS_LOG, STARTS_LOG, '/var/tmp/filler*'].map((pattern) => ({
  pattern,
  reason: 'of the benchmark',
}));

export interface RunResult {
  readonly observed: Observed;
  /** From the command to the end. */
  readonly seconds: number;
}

interface Before {
  readonly counted: readonly Counted[];
  readonly trees: readonly Snapshot[];
}

/** One pull request from its opening to its end, with one fault on the way if there is one. */
export async function runOnce(
  scene: Scene,
  wanted: Wanted,
  mode: Mode,
  fault: { readonly trial: Trial; readonly afterSeconds: number } | undefined,
): Promise<RunResult> {
  const { world } = scene;
  const before: Before = {
    counted: await Promise.all(scene.hosts.map((host) => count(host, wanted.name))),
    trees: await Promise.all(scene.hosts.map(snapshotTree)),
  };
  const { pull, sha } = await world.open(wanted.name, { 'chaos.yaml': changeOf(wanted, mode) });
  await world.check(sha, 'doaas/plan', { conclusion: 'success', seconds: PLANNED_WITHIN });
  await world.approve(pull);
  await world.say(pull, '/doaas apply');
  const started = performance.now();
  if (fault !== undefined) {
    await pause(fault.afterSeconds * 1000);
    await strike(scene, fault.trial);
  }
  const ended = await endOf(scene, pull, sha);
  const seconds = (performance.now() - started) / 1000;
  const observed = await look(scene, pull, sha, ended, wanted, before, fault?.trial);
  await scene.setClock(0);
  if (!observed.merged) await world.github.closePullRequest(world.repo, pull);
  return { observed, seconds };
}

/** `neither`: it did not end in time, or a person is needed. */
async function endOf(scene: Scene, pull: number, sha: string): Promise<Ended> {
  const { world } = scene;
  const deadline = performance.now() + ENDS_WITHIN * 1000;
  let stale: number | undefined;
  while (performance.now() < deadline) {
    await scene.supervise();
    const apply = (await world.checks(sha)).findLast(({ name }) => name === 'doaas/apply');
    if (await world.merged(pull)) return 'applied';
    if (apply?.status === 'completed' && apply.conclusion !== 'success') {
      if (/needs? a person/.test(apply.title)) return 'neither';
      if (apply.conclusion === 'failure') return 'rolled-back';
      // not begun at all; it begins again by itself if planning again gives the same
      stale ??= performance.now();
      if (performance.now() - stale > BEGINS_AGAIN_WITHIN * 1000) return 'rolled-back';
    } else stale = undefined;
    await pause(LOOK_EVERY_MS);
  }
  return 'neither';
}

async function look(
  scene: Scene,
  pull: number,
  sha: string,
  ended: Ended,
  wanted: Wanted,
  before: Before,
  trial: Trial | undefined,
): Promise<Observed> {
  const { world } = scene;
  const checks = await settled(
    () => world.checks(sha),
    (all) => all.every(({ status }) => status === 'completed'),
  );
  const locks = await settled(
    () => locksIn(scene),
    (held) => held.length === 0,
  );
  return {
    ended,
    merged: await world.merged(pull),
    checks,
    locks,
    hosts: await Promise.all(scene.hosts.map((_, n) => observe(scene, n, wanted, before, trial))),
  };
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
  const differences = await compareTrees(tree, await snapshotTree(host), [...MAY_DIFFER, ...OWN]);
  return {
    name: host.name,
    hit: trial !== undefined && trial.host === n && ['host-rebooted', 'disk-full'].includes(trial.fault),
    before: counted,
    after: await count(host, wanted.name),
    differing: differences.map(({ path }) => path),
  };
}

async function locksIn(scene: Scene): Promise<readonly string[]> {
  return scene.look(async (store) => [
    ...(await store.locks.list()).map(({ host, pull }) => `${host} is locked for ${pull}`),
    ...(await store.locks.queue()).map(({ runId }) => `${runId} waits for locks`),
    ...(await store.runs.open()).map(({ id, state }) => `the run ${id} is ${state}`),
    ...(await store.hosts.needRecovery()).map(({ identity }) => `${identity} needs recovery`),
  ]);
}

/** What it comes to within a while, or what it is then. */
async function settled<T>(read: () => Promise<T>, isFinal: (value: T) => boolean): Promise<T> {
  const final = async (): Promise<T | undefined> => {
    const value = await read().catch(() => undefined);
    return value !== undefined && isFinal(value) ? value : undefined;
  };
  return until(final, 'the end of it', SETTLES_WITHIN).catch(read);
}
