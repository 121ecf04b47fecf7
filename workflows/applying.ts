import { condition, patched, TemporalFailure } from '@temporalio/workflow';
import type { RolloutStage, RunRef } from '../engine/activities/types.ts';
import { groupsOf, isUnproven, toProve } from './batches.ts';
import { leaveBesideDown } from './besideDown.ts';
import { causeOf } from './cause.ts';
import { changeTogether } from './changing.ts';
import { type Control, isUnwanted, show } from './control.ts';
import {
  endedBy,
  type Fleet,
  fail,
  leftOutOf,
  neverBegun,
  notLeftOut,
  progressOf,
  rolloutOf,
} from './fleet.ts';
import { undoHost } from './rollingBack.ts';
import { lookUntil, roomFor } from './room.ts';
import { silentHosts, verifyHosts } from './sites.ts';
import { throughWindow } from './window.ts';

/** A stop that must lead somewhere: `failed` by the rollout's own rule, `asked` by a person. */
export type Stop = { readonly kind: 'failed' | 'asked'; readonly reason: string };

/**
 * Changes the hosts stage by stage, each proven before the next. Undefined when all is as wanted. An activity that cannot be
 * done is a failure like any other: a run in the middle of its servers always comes to an end that puts them back.
 */
export async function applyAndVerify(run: RunRef, fleet: Fleet, control: Control): Promise<Stop | undefined> {
  try {
    return await throughStages(run, fleet, control);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    return { kind: 'failed', reason: causeOf(error) };
  }
}

async function throughStages(run: RunRef, fleet: Fleet, control: Control): Promise<Stop | undefined> {
  const { stages } = rolloutOf(run);
  if (run.plan.rollout === undefined) await show(run, { kind: 'applying' });
  for (const [at, stage] of stages.entries()) {
    const stop = await runStage(run, stage, at, fleet, control);
    if (stop !== undefined) return stop;
  }
  if (run.plan.rollout !== undefined && fleet.done.size === 0)
    return { kind: 'failed', reason: nothingDone(fleet) };
  return verifyAll(run, fleet, control);
}

const SHUT_BEFORE = 'the window shut before its turn; the next one goes on with it';
const SHUT = 'The window shut before the first server was changed';

function nothingDone({ later }: Fleet): string {
  const beside = later.find(({ reason }) => reason !== SHUT_BEFORE);
  if (beside !== undefined) return `${beside.host}: ${beside.reason}`;
  return later.length > 0 ? SHUT : 'None of the servers could be changed';
}

async function runStage(
  run: RunRef,
  stage: RolloutStage,
  at: number,
  fleet: Fleet,
  control: Control,
): Promise<Stop | undefined> {
  const hosts = await hostsOf(run, stage, at, fleet, control);
  for (const group of groupsOf(run, stage, hosts, fleet)) {
    const stop = await runInRoom(run, { ...stage, hosts: group }, at, fleet, control);
    if (stop !== undefined) return stop;
  }
  if (stage.pauseSeconds > 0 && hosts.length > 0) {
    const until = new Date(Date.now() + stage.pauseSeconds * 1000).toISOString();
    await show(run, { kind: 'applying', rollout: progressOf(fleet, at, 'pausing', { until }) });
    await condition(() => isUnwanted(control), stage.pauseSeconds * 1000);
  }
  return unwanted(control);
}

/**
 * As many of the group at a time as may be unavailable beside the hosts that are down, each part proven before the next. Who is
 * still to come is looked at again whenever time has passed.
 */
async function runInRoom(
  run: RunRef,
  stage: RolloutStage,
  at: number,
  fleet: Fleet,
  control: Control,
): Promise<Stop | undefined> {
  for (let left = stage.hosts, looked = true; left.length > 0; looked = false) {
    if (!looked && looksAgain(run)) left = await hostsOf(run, { ...stage, hosts: left }, at, fleet, control);
    else left = withoutLeftOut(fleet, left);
    if (left.length === 0) break;
    const room = await roomFor(run, left, at, fleet, control);
    if (room.kind === 'none') return unwanted(control) ?? { kind: 'failed', reason: room.reason };
    if (room.waited && !isUnwanted(control) && looksAgain(run)) continue;
    const window = await throughWindow(run, at, fleet, control);
    if (window === 'opened') continue; // who is down may be somebody else by now
    if (window === 'unwanted') return unwanted(control);
    if (window === 'later') return leaveRest(run, fleet);
    if (window !== 'open') return { kind: 'failed', reason: window.reason };
    const beside = await leaveBesideDown(run, left.slice(0, room.hosts), fleet);
    if (beside !== undefined) return beside;
    const hosts = left.slice(0, room.hosts).filter((host) => !isLater(fleet, host));
    left = left.slice(room.hosts);
    if (hosts.length === 0) continue;
    const stop = await runGroup(
      run,
      { ...stage, hosts, verify: stage.verify || left.length > 0 },
      at,
      fleet,
      control,
    );
    if (stop !== undefined) return stop;
  }
  return undefined;
}

/** Ends the changes, with what is done. */
function leaveRest(run: RunRef, fleet: Fleet): undefined {
  const all = new Set(rolloutOf(run).stages.flatMap(({ hosts }) => hosts));
  const rest = neverBegun(fleet, notLeftOut(fleet, [...all]));
  fleet.later.push(...rest.map((host) => ({ host, reason: SHUT_BEFORE })));
}

function isLater({ later }: Fleet, host: string): boolean {
  return later.some((each) => each.host === host);
}

/** The proof of an earlier part can fail one that is still to come: it was put back, and is begun no more. */
function withoutLeftOut(fleet: Fleet, left: readonly string[]): readonly string[] {
  const rest = notLeftOut(fleet, left);
  return rest.length === left.length || patched('leave-out-failed') ? rest : left;
}

function looksAgain(run: RunRef): boolean {
  return rolloutOf(run).unreachable !== 'fail' && patched('look-again');
}

async function runGroup(
  run: RunRef,
  stage: RolloutStage,
  at: number,
  fleet: Fleet,
  control: Control,
): Promise<Stop | undefined> {
  const canaries = isUnproven(run, stage, fleet) ? stage.hosts : [];
  if (run.plan.rollout !== undefined)
    await show(run, { kind: 'applying', rollout: progressOf(fleet, at, 'changing') });
  await changeTogether(run, stage, canaries, fleet, control);
  const stop = (await settleFailed(run, canaries, fleet)) ?? unwanted(control);
  if (stop !== undefined || !(stage.verify || canaries.length > 0)) return stop;
  return proveGroup(run, stage, at, canaries, fleet, control);
}

async function proveGroup(
  run: RunRef,
  stage: RolloutStage,
  at: number,
  canaries: readonly string[],
  fleet: Fleet,
  control: Control,
): Promise<Stop | undefined> {
  await show(run, { kind: 'applying', rollout: progressOf(fleet, at, 'proving') });
  const stop = await prove(run, fleet, canaries, { hosts: toProve(run, stage, fleet) });
  if (stop === undefined && stage.hosts.some((host) => fleet.done.has(host))) fleet.proven.add(stage.wave);
  return stop ?? unwanted(control);
}

/** One look at the hosts; those that are not as wanted have failed. */
async function prove(
  run: RunRef,
  fleet: Fleet,
  canaries: readonly string[],
  scope?: { readonly hosts: readonly { readonly host: string; readonly wave: number }[] },
): Promise<Stop | undefined> {
  const leftOut = leftOutOf(fleet, run).map(({ host }) => host);
  const verified = await verifyHosts(run, leftOut, scope).catch((error: unknown) => {
    return { kind: 'failed' as const, reason: causeOf(error), hosts: [] };
  });
  if (verified.kind === 'verified') return undefined;
  for (const failure of verified.hosts ?? []) fail(fleet, failure);
  if ((verified.hosts ?? []).length === 0) return { kind: 'failed', reason: verified.reason };
  return (
    (await settleFailed(run, canaries, fleet)) ?? (scope === undefined ? prove(run, fleet, []) : undefined)
  );
}

/** Puts back what failed within the budget, at once; beyond it the rollout ends. */
async function settleFailed(
  run: RunRef,
  canaries: readonly string[],
  fleet: Fleet,
): Promise<Stop | undefined> {
  const end = endedBy(fleet, rolloutOf(run), canaries);
  if (end !== undefined) return { kind: 'failed', reason: end.reason };
  for (const { host } of fleet.failed) {
    const remains = await undoHost(run, fleet, host);
    if (remains.length > 0) return { kind: 'failed', reason: remains.join('; ') };
  }
  return undefined;
}

async function verifyAll(run: RunRef, fleet: Fleet, control: Control): Promise<Stop | undefined> {
  await show(run, { kind: 'verifying' });
  return (await prove(run, fleet, [])) ?? unwanted(control);
}

function unwanted({ cancelled, stopped }: Control): Stop | undefined {
  if (cancelled !== undefined) return { kind: 'failed', reason: cancelled };
  return stopped === undefined ? undefined : { kind: 'asked', reason: stopped };
}

/** The stage's hosts that are to be changed now: no failed ones, and of the silent ones what the rollout says. */
async function hostsOf(
  run: RunRef,
  stage: RolloutStage,
  at: number,
  fleet: Fleet,
  control: Control,
): Promise<readonly string[]> {
  const hosts = notLeftOut(fleet, stage.hosts);
  const { unreachable } = rolloutOf(run);
  if (unreachable === 'fail' || hosts.length === 0) return hosts;
  const silent = await lookUntil(
    control,
    () => silentHosts(run, hosts),
    (found) => found.length === 0 || unreachable === 'skip',
    (awaited) => show(run, { kind: 'applying', rollout: progressOf(fleet, at, 'waiting', { awaited }) }),
  );
  if (unreachable === 'wait' || isUnwanted(control)) return hosts;
  const skipped = skippedOf(fleet, silent);
  fleet.skipped.push(...skipped);
  return hosts.filter((host) => !skipped.includes(host));
}

/** One that was changed in part is none of them: its turn waits for it, and else it has failed and is put back. */
function skippedOf(fleet: Fleet, silent: readonly string[]): readonly string[] {
  const untouched = neverBegun(fleet, silent);
  return untouched.length === silent.length || patched('skip-untouched-only') ? untouched : silent;
}
