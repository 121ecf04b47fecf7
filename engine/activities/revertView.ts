import type { RollbackView } from '../github/render/views.ts';

export function withRevert(view: RollbackView, revert: number | undefined): RollbackView {
  return revert === undefined ? view : { ...view, revertPull: revert };
}

/** The branch says what the servers are not, and how that ends. */
export function revertWords(revert: number | undefined): readonly string[] {
  return revert === undefined
    ? []
    : [
        `It is merged, so the branch says what the servers are not; the revert is in pull request #${revert}.`,
      ];
}
