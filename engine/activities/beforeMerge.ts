import type { GitHubClient } from '../github/client.ts';
import { previousTip } from '../github/previousTip.ts';
import type { PullRequest } from '../github/pulls.ts';
import type { Engine } from './engine.ts';
import type { RepositoryRef, Revision } from './types.ts';

/**
 * What a merge came on, where its plan was made for another branch: somebody changed the base, and merged before it was planned anew.
 * Undefined where it is not merged, or planned for that branch (from which it has not been taken away since by force).
 */
export async function strayedOnto(
  { revisions }: Pick<Engine, 'revisions'>,
  client: GitHubClient,
  repository: RepositoryRef,
  { baseSha }: Pick<Revision, 'baseSha'>,
  { number, mergeSha }: Pick<PullRequest, 'number' | 'mergeSha'>,
): Promise<string | undefined> {
  if (mergeSha === undefined) return undefined;
  const before = await previousTip(client, repository, { number, mergeSha }, baseSha);
  if (before === baseSha) return undefined;
  return (await revisions.contains(repository, before, baseSha)) ? undefined : before;
}
