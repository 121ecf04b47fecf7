import type { MergeGroup, RepositoryRef } from '../engine/activities/types.ts';
import { short } from './activities.ts';

/** Answers a merge queue: the checks of the commit that it would merge. */
export async function mergeGroup(repository: RepositoryRef, group: MergeGroup): Promise<void> {
  await short.validateGroup(repository, group);
}
