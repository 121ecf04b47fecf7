import type { OwnedItem } from '../facts/owned.ts';
import { runOfBatch } from './batchName.ts';
import type { Engine } from './engine.ts';
import type { RepositoryRef } from './types.ts';

/** Of batches that own what a commit does not claim: those whose run's change was merged after that commit. */
export type MergedLater = (items: readonly OwnedItem[]) => Promise<readonly string[]>;

/**
 * While servers are read for one commit, a run may end whose change is merged after it. What that run left on them is not abandoned, though the
 * commit does not know it; to plan its removal would void an approval that is none of its business. Returns names of runs.
 */
export function mergedAfter(
  { store, revisions }: Pick<Engine, 'store' | 'revisions'>,
  repository: RepositoryRef,
  commit: string,
): MergedLater {
  return async (items) => {
    const runs = [...new Set(items.flatMap(({ run }) => runOfBatch(run) ?? []))];
    const later = await Promise.all(
      runs.map(async (run) => {
        const mergeSha = (await store.runs.get(run))?.mergeSha ?? undefined;
        return mergeSha !== undefined && !(await revisions.contains(repository, commit, mergeSha));
      }),
    );
    return runs.filter((_, at) => later[at]);
  };
}
