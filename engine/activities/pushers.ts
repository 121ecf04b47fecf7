import { pushesTo } from '../github/activity.ts';
import type { GitHubClient } from '../github/client.ts';
import type { PullRequest } from '../github/pulls.ts';
import type { Account } from '../policy/account.ts';
import { pushersFrom, unique } from '../policy/pushes.ts';
import type { Engine } from './engine.ts';
import type { PullRef, Revision } from './types.ts';

export interface Pushers {
  readonly pushers: readonly Account[];
  /** Why it is not known who pushed, and what to do; undefined where it is known. */
  readonly pushersUnknown: string | undefined;
}

/**
 * Who pushed to the branch of a pull request: from the pushes that GitHub told, and where one of them was never told (the App was
 * not installed then, a webhook did not come), from GitHub's own record of the branch.
 */
export async function pushersOf(
  { store, revisions }: Pick<Engine, 'store' | 'revisions'>,
  client: GitHubClient,
  pull: PullRef,
  revision: Revision,
  head: Pick<PullRequest, 'headRepositoryId' | 'headRef' | 'headOwner' | 'fork'>,
): Promise<Pushers> {
  const { headRepositoryId: repositoryId, headRef: branch } = head;
  if (repositoryId === undefined) return knownTo([]);
  const known = await store.pushes.of({ repositoryId, branch });
  // of a fork GitHub tells only the pushes to an open pull request: there somebody vouches for the head by its SHA
  if (head.fork) return knownTo([...known.map(({ account }) => account), ...ownerOf(head)]);
  const starts = await revisions.mergeBases(pull, revision);
  const seen = pushersFrom(known, revision.headSha, starts);
  if (seen.gap === undefined) return knownTo(seen.pushers);
  const told = await pushesTo(client, pull.repository, branch);
  await store.pushes.add({ repositoryId, branch }, told.pushes);
  const all = [...told.pushes, ...known];
  const walked = pushersFrom(all, revision.headSha, starts);
  if (walked.gap === undefined) return knownTo(walked.pushers);
  // GitHub's record begins later than the branch: whoever stands in it counts
  const pushers = unique(all.map(({ account }) => account));
  const isSeen = all.some(({ after }) => after === revision.headSha) && !told.cut;
  return { pushers, pushersUnknown: isSeen ? undefined : unknown(revision.headSha, branch) };
}

function knownTo(accounts: readonly Account[]): Pushers {
  return { pushers: unique(accounts), pushersUnknown: undefined };
}

function ownerOf({ headOwner }: Pick<PullRequest, 'headOwner'>): readonly Account[] {
  return headOwner === undefined ? [] : [headOwner];
}

function unknown(sha: string, branch: string): string {
  return `nobody told who pushed ${sha.slice(0, 8)} to ${branch}; push a new commit, or the same ones to a new branch`;
}
