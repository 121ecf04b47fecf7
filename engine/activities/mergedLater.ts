import type { OwnedItem } from '../facts/owned.ts';
import { runOfBatch } from './batchName.ts';
import type { Engine } from './engine.ts';
import type { RepositoryRef } from './types.ts';

/** Of what a commit does not claim: the runs that left it and whose change was merged after that commit. */
export type MergedLater = (items: readonly OwnedItem[]) => Promise<readonly string[]>;

/**
 * While servers are read for one commit, a run may end whose change is merged after it. What that run left on them is not abandoned, though the
 * commit does not know it; to plan its removal would void an approval that is none of its business. A run is looked for once, on however many servers it left something.
 */
export function mergedAfter(
  { store, revisions }: Pick<Engine, 'store' | 'revisions'>,
  repository: RepositoryRef,
  commit: string,
): MergedLater {
  const known = new Map<string, Promise<boolean>>();
  const look = async (run: string): Promise<boolean> => {
    const mergeSha = (await store.runs.get(run))?.mergeSha ?? undefined;
    return mergeSha !== undefined && !(await revisions.contains(repository, commit, mergeSha));
  };
  const isLater = (run: string): Promise<boolean> => {
    const looked = known.get(run) ?? look(run);
    known.set(run, looked);
    return looked;
  };
  return async (items) => {
    const runs = [...new Set(items.flatMap(({ run }) => runOfBatch(run) ?? []))];
    const later = await Promise.all(runs.map(isLater));
    return runs.filter((_, at) => later[at]);
  };
}
