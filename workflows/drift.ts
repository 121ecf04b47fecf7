import type { DriftReport, RepositoryRef } from '../engine/activities/types.ts';
import { reading, short } from './activities.ts';
import { planRevision } from './plan.ts';

/** Reads the servers of a repository's default branch, and keeps one issue for each document that they differ from. */
export async function drift(repository: RepositoryRef): Promise<DriftReport> {
  const tip = await short.defaultBranchTip(repository);
  const plan = await planRevision({ repository, commit: tip.commit, drift: true });
  return reading.reportDrift(repository, tip, plan);
}
