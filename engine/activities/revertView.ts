import type { RollbackView } from '../github/render/views.ts';
import type { Reverted } from './types.ts';

export function withRevert(view: RollbackView, revert: Reverted | undefined): RollbackView {
  return revert === undefined ? view : { ...view, revertPull: revert };
}

/** The branch says what the servers are not, and how that ends. Why there is no revert is in the reason of the run's end. */
export function revertWords(revert: Reverted | undefined): readonly string[] {
  if (revert === undefined) return [];
  const merged = 'It is merged, so the branch says what the servers are not';
  return typeof revert === 'object'
    ? [`${merged}, and nothing reverts it: take it back by hand, or bring it in anew.`]
    : [`${merged}; the revert is in pull request #${revert}.`];
}
