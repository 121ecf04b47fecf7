import { type Amount, DEFAULT_ROLLOUT, type Rollout } from '../rollout/rollout.ts';
import { durationSeconds } from './duration.ts';
import { optional } from './optional.ts';
import type { RolloutSource } from './types.generated.ts';

/** Fills in what is left out. The schema has checked the shape. */
export function resolveRollout(source: RolloutSource): Rollout {
  const { canary, batches, maxUnavailable, pause, failureBudget } = source;
  const given = DEFAULT_ROLLOUT;
  return {
    canary: canary === undefined ? given.canary : amount(canary),
    batches: batches === undefined ? given.batches : [batches].flat().map(amount),
    ...(maxUnavailable === undefined ? {} : { maxUnavailable: amount(maxUnavailable) }),
    pauseSeconds: pause === undefined ? given.pauseSeconds : durationSeconds(pause),
    probes: source.probes ?? given.probes,
    failureBudget: failureBudget === undefined ? given.failureBudget : amount(failureBudget),
    onExceeded: source.onExceeded ?? given.onExceeded,
    unreachable: source.unreachable ?? given.unreachable,
    ...optional('spread', source.spread),
  };
}

function amount(source: number | string): Amount {
  return typeof source === 'number'
    ? { kind: 'hosts', hosts: source }
    : { kind: 'share', percent: Number(source.replace('%', '')) };
}
