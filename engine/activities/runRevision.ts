import type { Revision, RunRef } from './types.ts';

/** What a run brings to its hosts: the planned merge, or what was merged already. */
export function revisionOf({ plan, mergeSha }: RunRef): Revision {
  return { headSha: mergeSha ?? plan.headSha, baseSha: plan.baseSha };
}
