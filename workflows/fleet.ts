import type {
  HostFailure,
  PolicyWindow,
  RolloutProgress,
  RolloutRef,
  RunRef,
} from '../engine/activities/types.ts';
import { isExceeded } from './budget.ts';

/** What a run has done to its hosts so far. */
export interface Fleet {
  /** Waves that were begun on a host, in this order: what a rollback must look at. */
  readonly touched: Map<string, number[]>;
  /** The highest wave that was finished on a host. */
  readonly done: Map<string, number>;
  readonly failed: HostFailure[];
  readonly skipped: string[];
  /** Left as they are, for a later run: the window of declared work shut before their turn, or who they stand in for is down. */
  readonly later: HostFailure[];
  /** Waves in which a first host has proven the change. */
  readonly proven: Set<number>;
  /** Change windows of the policy by which it was judged last. */
  windows: readonly PolicyWindow[];
}

export function newFleet(windows: readonly PolicyWindow[] = []): Fleet {
  return {
    touched: new Map(),
    done: new Map(),
    failed: [],
    skipped: [],
    later: [],
    proven: new Set(),
    windows,
  };
}

/** Plans of older engines know no rollout: the hosts of a wave are changed together, and verified at the end. */
export function rolloutOf({ plan }: RunRef): RolloutRef {
  if (plan.rollout !== undefined) return plan.rollout;
  const stages = plan.waves.map((wave) => ({
    wave,
    hosts: plan.hosts.filter((host) => host.waves.includes(wave)).map((host) => host.name),
    canary: false,
    verify: false,
    pauseSeconds: 0,
  }));
  return { stages, probes: 'batch', failureBudget: 0, onExceeded: 'rollback', unreachable: 'fail' };
}

export function touch(fleet: Fleet, host: string, wave: number): void {
  fleet.touched.set(host, [...(fleet.touched.get(host) ?? []), wave]);
}

/** No host has been changed, nor was one put back. */
export function isUntouched({ touched, failed }: Fleet): boolean {
  return touched.size === 0 && failed.length === 0;
}

/** Those of these hosts that are as they were: no wave was begun on them. */
export function neverBegun({ touched }: Fleet, hosts: readonly string[]): readonly string[] {
  return hosts.filter((host) => !touched.has(host));
}

/** A host fails once, with the first reason. */
export function fail(fleet: Fleet, failure: HostFailure): void {
  fleet.done.delete(failure.host);
  if (!fleet.failed.some(({ host }) => host === failure.host)) fleet.failed.push(failure);
}

/** Why the rollout must end: more failed than it bears, or one that went first for the others. Else undefined. */
export function endedBy(
  fleet: Fleet,
  { failureBudget }: RolloutRef,
  canaries: readonly string[],
): HostFailure | undefined {
  const { failed } = fleet;
  if (!isExceeded({ failureBudget, failed: failed.map(({ host }) => host) }, canaries)) return undefined;
  return failed.find(({ host }) => canaries.includes(host)) ?? failed[failureBudget];
}

/** Those of these hosts that are still to be changed, or to be changed further: who failed is not, once it is put back. */
export function notLeftOut({ failed, skipped, later }: Fleet, hosts: readonly string[]): readonly string[] {
  const out = [...[...failed, ...later].map(({ host }) => host), ...skipped];
  return hosts.filter((host) => !out.includes(host));
}

/** Hosts that are not to be as the branch says in the end. */
export function leftOutOf({ failed, skipped, later }: Fleet, run: RunRef): readonly HostFailure[] {
  const away = [...(run.plan.skipped ?? []), ...skipped];
  return [
    ...failed,
    ...away.map((host) => ({ host, reason: 'it could not be reached, and was skipped' })),
    ...later,
  ];
}

export function progressOf(
  fleet: Fleet,
  at: number,
  doing: RolloutProgress['doing'],
  more: Pick<RolloutProgress, 'until' | 'awaited' | 'most'> = {},
): RolloutProgress {
  return { at, doing, failed: [...fleet.failed], skipped: [...fleet.skipped], ...more };
}
