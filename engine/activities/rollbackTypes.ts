/** Taking a merged change back, as it is told. */

/** Number of the pull request that takes a change back which was merged before it was applied; or why it could not be opened. */
export type Reverted = number | { readonly refused: string };

/** What came of taking a merged change back. */
export interface LateRollback {
  readonly kind: 'rolled-back' | 'held' | 'refused';
  /** Number of the pull request that reverts the merged one; undefined when it could not be opened. */
  readonly revert: number | undefined;
  readonly reasons: readonly string[];
  /** What was left or moved on purpose. */
  readonly remarks: readonly string[];
}

/** The revert is open, and the hosts are waited for. */
export interface RollbackWaits {
  readonly kind: 'rollback-waits';
  readonly revert: number;
  readonly position: number;
  /** Names, as of `LockOutcome`. */
  readonly behind: string;
}
