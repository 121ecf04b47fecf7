import { atLeast, atMost } from './amounts.ts';
import { type Amount, DEFAULT_ROLLOUT, type Rollout } from './rollout.ts';

/** A rollout in numbers of hosts, for one plan. */
export interface Rules {
  /** Hosts of the first batch; 0: no canary. */
  readonly canary: number;
  /** Sizes of the batches after it, the last one repeats. */
  readonly batches: readonly number[];
  /** Bound of every batch. */
  readonly maxUnavailable?: number;
  readonly pauseSeconds: number;
  readonly probes: 'done' | 'batch';
  /** Hosts that may fail over the whole fleet. */
  readonly failureBudget: number;
  readonly onExceeded: 'rollback' | 'hold';
  readonly unreachable: 'fail' | 'skip' | 'wait';
  /** Labels whose values name units, sorted. Left out: none. */
  readonly spread?: readonly string[];
}

const UNREACHABLE_STRICT_FIRST = ['fail', 'wait', 'skip'] as const;

/** The rules that keep to all rollouts that meet in a plan for `fleet` hosts: field by field the strictest. */
export function strictest(rollouts: readonly Rollout[], fleet: number): Rules {
  const all = rollouts.length === 0 ? [DEFAULT_ROLLOUT] : rollouts;
  const canaries = all.map(({ canary }) => atLeast(canary, fleet)).filter((hosts) => hosts > 0);
  const bounds = all.flatMap(({ maxUnavailable }) =>
    maxUnavailable === undefined ? [] : [Math.max(1, atMost(maxUnavailable, fleet))],
  );
  const labels = [...new Set(all.flatMap(({ spread }) => spread ?? []))].sort();
  return {
    canary: canaries.length === 0 ? 0 : Math.min(...canaries),
    batches: smallest(
      all.map(({ batches }) => batches),
      fleet,
    ),
    ...(bounds.length === 0 ? {} : { maxUnavailable: Math.min(...bounds) }),
    pauseSeconds: Math.max(...all.map(({ pauseSeconds }) => pauseSeconds)),
    probes: all.some(({ probes }) => probes === 'done') ? 'done' : 'batch',
    failureBudget: Math.min(...all.map(({ failureBudget }) => atMost(failureBudget, fleet))),
    onExceeded: all.some(({ onExceeded }) => onExceeded === 'rollback') ? 'rollback' : 'hold',
    unreachable:
      UNREACHABLE_STRICT_FIRST.find((way) => all.some(({ unreachable }) => unreachable === way)) ?? 'fail',
    ...(labels.length === 0 ? {} : { spread: labels }),
  };
}

/** Place by place the smallest size; a list that is over goes on with its last entry. */
function smallest(lists: readonly (readonly Amount[])[], fleet: number): readonly number[] {
  const length = Math.max(...lists.map((list) => list.length));
  return Array.from({ length }, (_, place) =>
    Math.min(...lists.map((list) => sizeAt(list, place, fleet)), Math.max(1, fleet)),
  );
}

function sizeAt(list: readonly Amount[], place: number, fleet: number): number {
  const amount = list[Math.min(place, list.length - 1)];
  return amount === undefined ? fleet : Math.max(1, atLeast(amount, fleet));
}
