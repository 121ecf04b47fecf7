/** A number of hosts, or a share of all hosts of the plan. */
export type Amount =
  | { readonly kind: 'hosts'; readonly hosts: number }
  | { readonly kind: 'share'; readonly percent: number };

/** How one document wants its hosts to be changed: who goes first, how many at a time, when to stop. */
export interface Rollout {
  readonly canary: Amount;
  /** Sizes of the batches after the canary; the last one repeats. Never empty. */
  readonly batches: readonly Amount[];
  readonly maxUnavailable?: Amount;
  readonly pauseSeconds: number;
  readonly probes: 'done' | 'batch';
  readonly failureBudget: Amount;
  readonly onExceeded: 'rollback' | 'hold';
  readonly unreachable: 'fail' | 'skip' | 'wait';
  /** Label whose value names a unit: its members are never changed together. */
  readonly spread?: string;
}

/** Longest pause between two batches. Seconds. */
export const MAX_PAUSE_SECONDS = 86_400;

export const DEFAULT_ROLLOUT: Rollout = Object.freeze<Rollout>({
  canary: { kind: 'hosts', hosts: 1 },
  batches: [{ kind: 'share', percent: 25 }],
  pauseSeconds: 0,
  probes: 'done',
  failureBudget: { kind: 'hosts', hosts: 0 },
  onExceeded: 'rollback',
  unreachable: 'fail',
});
