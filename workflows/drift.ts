import type { DriftReport, RepositoryRef } from '../engine/activities/types.ts';
import { reading, short } from './activities.ts';
import { planRevision } from './plan.ts';

/** Reads the servers of a repository's default branch, and keeps one issue for each document that they differ from. */
export async function drift(repository: RepositoryRef): Promise<DriftReport | undefined> {
  const tip = await short.defaultBranchTip(repository);
  if (tip === undefined) return undefined;
  const plan = await planRevision({ repository, commit: tip.commit, drift: true });
  return reading.reportDrift(repository, tip, plan);
}
