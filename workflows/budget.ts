/** What a rollout may bear: counted over the whole fleet, all batches and waves together. */
export interface Budget {
  readonly failureBudget: number;
  /** Hosts that failed so far. */
  readonly failed: readonly string[];
}

/** What keeps a rollout from interrupting more hosts. */
export interface Availability {
  /** Hosts that may be unavailable at the same time; at least 1. */
  readonly maxUnavailable: number;
  /** Hosts that failed so far, also those that were put back: that they serve again is not known. */
  readonly failed: readonly string[];
  /** Hosts that do not answer now, whether they were changed, skipped or are still to come. */
  readonly silent: readonly string[];
}

export type Room =
  | { readonly kind: 'some'; readonly hosts: number }
  /** `passes`: it may be enough to wait for those that do not answer. */
  | { readonly kind: 'none'; readonly down: readonly string[]; readonly passes: boolean };

/** How many hosts may be interrupted beside those that are down already. */
export function roomBeside({ maxUnavailable, failed, silent }: Availability): Room {
  const down = [...new Set([...failed, ...silent])];
  if (down.length < maxUnavailable) return { kind: 'some', hosts: maxUnavailable - down.length };
  return { kind: 'none', down, passes: new Set(failed).size < maxUnavailable };
}

/** A failed canary stops the rollout whatever the budget: nothing has been proven yet. */
export function isExceeded({ failureBudget, failed }: Budget, canaries: readonly string[]): boolean {
  return new Set(failed).size > failureBudget || failed.some((host) => canaries.includes(host));
}
