/** What a rollout may bear: counted over the whole fleet, all batches and waves together. */
export interface Budget {
  readonly failureBudget: number;
  /** Hosts that failed so far. */
  readonly failed: readonly string[];
}

/** A failed canary stops the rollout whatever the budget: nothing has been proven yet. */
export function isExceeded({ failureBudget, failed }: Budget, canaries: readonly string[]): boolean {
  return new Set(failed).size > failureBudget || failed.some((host) => canaries.includes(host));
}
