import type { Engine } from './engine.ts';
import type { ResolvedRevision } from './revisions.ts';
import type { Revision, RunRef } from './types.ts';

/** What a run brings to its hosts: the planned merge, or what was merged already. */
export function revisionOf({ plan, mergeSha }: RunRef): Revision {
  return { headSha: mergeSha ?? plan.headSha, baseSha: plan.baseSha };
}

/** The desired state that a run works towards, and its hosts as `changed`. A correction changes no document: all that differs is drift. */
export async function resolveRun(
  { revisions }: Pick<Engine, 'revisions'>,
  run: RunRef,
): Promise<ResolvedRevision> {
  if (run.correction === undefined) return revisions.resolve(run.pull, revisionOf(run));
  const { pull, plan } = run;
  const { resolution, documents, errors, unpinned, refused } = await revisions.resolveCommit(
    pull.repository,
    plan.headSha,
  );
  const names = new Set(plan.hosts.map(({ name }) => name));
  return {
    kind: 'resolved',
    treeSha: await revisions.treeOf(pull, plan.headSha),
    documents,
    errors,
    unpinned,
    refused,
    merged: resolution,
    base: resolution,
    changed: resolution.hosts.filter(({ name }) => names.has(name)),
    dropped: [],
    changedItems: () => new Set(),
  };
}
