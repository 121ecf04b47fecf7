import type { GitHubClient, Repo } from './client.ts';
import { calling, expectNamed, expectSame, GitHubError } from './errors.ts';

export interface PullRequest {
  /** `owner/name`, as its repository is called now. */
  readonly repository: string;
  readonly number: number;
  readonly title: string;
  /** Its description; empty where there is none. */
  readonly body: string;
  readonly author: string;
  readonly authorId?: number;
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  readonly mergeSha: string | undefined;
  readonly mergedBy: string | undefined;
  /** ISO time. */
  readonly mergedAt: string | undefined;
  readonly draft: boolean;
  readonly headSha: string;
  readonly headRef: string;
  /** Of the head; undefined where that repository was deleted. */
  readonly headRepositoryId: number | undefined;
  /** Whose repository the head is in, if it is a person's. */
  readonly headOwner: { readonly login: string; readonly id: number } | undefined;
  /** From another repository (or a deleted one): validation only. */
  readonly fork: boolean;
  readonly baseRef: string;
  /** Where the base branch is now, not where the pull request was made. */
  readonly baseSha: string;
  readonly defaultBranch: string;
  /** `undefined` while GitHub computes it. */
  readonly mergeable: boolean | undefined;
  readonly mergeableState: string;
}

/** Throws `GitHubError`. */
export function getPull(client: GitHubClient, repo: Repo, number: number): Promise<PullRequest> {
  return calling(`Reading pull request #${number}`, async () => {
    const query = { owner: repo.owner, repo: repo.name, pull_number: number };
    const read = async () => (await client.octokit.pulls.get(query)).data;
    const first = await read();
    expectSame(repo, first.base.repo.id);
    const baseSha = await branchTip(client, repo, first.base.ref);
    // merged between the two requests, it would pass for an open one whose base has all of it: nothing to do
    const data = first.state === 'open' && baseSha !== first.base.sha ? await read() : first;
    return {
      repository: data.base.repo.full_name,
      number,
      title: data.title,
      body: data.body ?? '',
      // a deleted account is nobody, for all that the API's description says
      author: data.user?.login ?? 'ghost',
      ...(data.user === null ? {} : { authorId: data.user.id }),
      state: data.state === 'open' ? 'open' : 'closed',
      merged: data.merged,
      mergeSha: data.merged ? (data.merge_commit_sha ?? undefined) : undefined,
      mergedBy: data.merged_by?.login,
      mergedAt: data.merged_at ?? undefined,
      draft: data.draft ?? false,
      headSha: data.head.sha,
      headRef: data.head.ref,
      headRepositoryId: data.head.repo?.id,
      headOwner: personOf(data.head.repo?.owner),
      fork: data.head.repo?.id !== data.base.repo.id,
      baseRef: data.base.ref,
      baseSha,
      defaultBranch: data.base.repo.default_branch,
      mergeable: data.mergeable ?? undefined,
      mergeableState: data.mergeable_state,
    };
  });
}

/** Not an organisation. */
function personOf(owner: { login: string; id: number; type: string } | undefined) {
  return owner?.type === 'User' ? { login: owner.login, id: owner.id } : undefined;
}

/** SHA that a branch points to. Throws `GitHubError`. */
export function branchTip(client: GitHubClient, repo: Repo, branch: string): Promise<string> {
  return calling(`Reading the branch ${branch}`, async () => {
    const { data } = await client.octokit.git.getRef({
      owner: repo.owner,
      repo: repo.name,
      ref: `heads/${branch}`,
    });
    return data.object.sha;
  });
}

export type MergeMethod = 'merge' | 'squash' | 'rebase';

export type MergeResult =
  | { readonly kind: 'merged'; readonly sha: string }
  /** In GitHub's words: another merge into the base, or the one that was asked for before, is under way. Ask again. */
  | { readonly kind: 'busy'; readonly reason: string }
  /** In GitHub's words: a conflict, branch protection, or the head has moved. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Statuses with which GitHub refuses a merge: not mergeable, head modified, protected or invalid. */
const REFUSED = new Set([403, 405, 409, 422]);

/** The 405 of these passes by itself; only the words tell it from a refusal by the branch's rules. */
const PASSING = /Base branch was modified|Merge already in progress/i;

/**
 * Merges exactly `headSha`. Safe to repeat: one that is merged at this head already counts as merged. Throws `GitHubError` where it is
 * not known what happened (then repeat).
 */
export async function mergePull(
  client: GitHubClient,
  repo: Repo,
  merge: {
    readonly number: number;
    readonly headSha: string;
    readonly method: MergeMethod;
    readonly message?: string;
  },
): Promise<MergeResult> {
  try {
    return await calling(`Merging #${merge.number}`, async () => {
      const { data } = await client.octokit.pulls.merge({
        owner: repo.owner,
        repo: repo.name,
        pull_number: merge.number,
        sha: merge.headSha,
        merge_method: merge.method,
        ...(merge.message === undefined ? {} : { commit_message: merge.message }),
        request: { retries: 0 },
      });
      return { kind: 'merged', sha: data.sha };
    });
  } catch (error) {
    if (!(error instanceof GitHubError) || error.retryable || !REFUSED.has(error.status ?? 0)) throw error;
    const pull = await getPull(client, repo, merge.number);
    if (pull.merged && pull.headSha === merge.headSha && pull.mergeSha !== undefined)
      return { kind: 'merged', sha: pull.mergeSha };
    expectNamed(repo, pull.repository);
    const asAsked = pull.state === 'open' && pull.headSha === merge.headSha;
    const passes = error.status === 405 && PASSING.test(error.message) && asAsked;
    return { kind: passes ? 'busy' : 'refused', reason: error.message };
  }
}
