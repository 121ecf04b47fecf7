import type { ApplyView, BatchView, HostProblem, StoppedView } from '../github/render/views.ts';
import type { StoredReceipt } from '../store/receipts.ts';
import type { RunRecord } from './runViews.ts';
import type { HostFailure, RolloutProgress } from './types.ts';

/** The batches of a run, where there is more than one, or it waits. `over`: all are done. */
export function rolloutView({ plan, detail }: RunRecord, over: boolean): Pick<ApplyView, 'rollout'> {
  const { rollout } = plan;
  const progress = detail.rollout;
  if (rollout === undefined || progress === undefined) return {};
  const waits = progress.doing === 'waiting' || progress.doing === 'shut';
  if (rollout.stages.length < 2 && (over || !waits)) return {};
  const batches = rollout.stages.map(({ wave, hosts, canary }, i) => ({
    wave,
    hosts,
    canary,
    ...(over ? { state: 'done' as const } : batchState(progress, i)),
  }));
  return {
    rollout: {
      batches,
      failureBudget: rollout.rules.failureBudget,
      failed: progress.failed.map(problemOf),
      skipped: progress.skipped,
    },
  };
}

export function problemOf({ host, reason }: HostFailure): HostProblem {
  return { host, message: reason };
}

const DOING = {
  changing: 'changing',
  proving: 'proving',
  pausing: 'pausing',
  waiting: 'awaiting',
  shut: 'shut',
} as const satisfies Record<RolloutProgress['doing'], BatchView['state']>;

function batchState(
  { at, doing, until, awaited, most }: RolloutProgress,
  batch: number,
): Pick<BatchView, 'state' | 'until' | 'awaited' | 'most'> {
  if (batch !== at) return { state: batch < at ? 'done' : 'waiting' };
  return {
    state: DOING[doing],
    ...(until === undefined ? {} : { until }),
    ...(awaited === undefined ? {} : { awaited }),
    ...(most === undefined ? {} : { most }),
  };
}

/** What a stopped run has done on each server. */
export function stoppedHosts({ plan, receipts }: RunRecord): StoppedView['hosts'] {
  return plan.hosts
    .filter(({ steps }) => steps.length > 0)
    .map(({ host, steps }) => {
      const states = steps.map(
        ({ id }) => receipts.find((receipt) => receipt.host === host && receipt.stepId === id)?.state,
      );
      if (states.every((state) => state === undefined))
        return { host, state: mayRun(receipts, host) ? 'begun' : 'untouched' };
      if (states.every((state) => state === undefined || state === 'undone'))
        return { host, state: 'undone' };
      return {
        host,
        state: states.every((state) => state === 'done' || state === 'already') ? 'done' : 'part',
      };
    });
}

/** A batch was begun there, and nobody has seen its end. */
function mayRun(receipts: readonly StoredReceipt[], host: string): boolean {
  return receipts.some(
    (each) => each.host === host && each.stepId.startsWith('@begin') && each.state === 'unknown',
  );
}
