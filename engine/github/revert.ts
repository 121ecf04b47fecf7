import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';

export interface Revert {
  /** The merged pull request. */
  readonly number: number;
  readonly baseRef: string;
  /** What the merge made of the base branch. */
  readonly mergeSha: string;
  /** The base branch just before; without it the first parent of `mergeSha` (wrong only for a rebase of several commits). */
  readonly beforeSha?: string;
  readonly title: string;
  readonly body: string;
}

export interface OpenedPull {
  readonly number: number;
  readonly url: string;
}

/**
 * Opens the pull request that reverts a merged one. The commit has the tree from before and the merge as its parent, so that git's own three-way
 * merge makes it the reverse of exactly that change, also when the base has moved on. Safe to repeat: branch and pull request are found again.
 * Throws `GitHubError`.
 */
export async function openRevert(client: GitHubClient, repo: Repo, revert: Revert): Promise<OpenedPull> {
  const branch = `doaas/revert-${revert.number}`;
  const found = await findPull(client, repo, branch);
  if (found !== undefined) return found;
  await ensureBranch(client, repo, branch, revert);
  return calling(`Opening the revert of #${revert.number}`, async () => {
    const { data } = await client.octokit.pulls.create({
      owner: repo.owner,
      repo: repo.name,
      head: branch,
      base: revert.baseRef,
      title: revert.title,
      body: revert.body,
      request: { retries: 0 },
    });
    return { number: data.number, url: data.html_url };
  });
}

/** One that somebody closed counts too: it was offered. */
function findPull(client: GitHubClient, repo: Repo, branch: string): Promise<OpenedPull | undefined> {
  return calling('Looking for the revert', async () => {
    const query = {
      owner: repo.owner,
      repo: repo.name,
      head: `${repo.owner}:${branch}`,
      state: 'all' as const,
    };
    const { data } = await client.octokit.pulls.list(query);
    const pull = data.find((candidate) => candidate.head.ref === branch);
    return pull === undefined ? undefined : { number: pull.number, url: pull.html_url };
  });
}

async function ensureBranch(client: GitHubClient, repo: Repo, branch: string, revert: Revert): Promise<void> {
  try {
    await calling(`Preparing the revert of #${revert.number}`, async () => {
      const sha = await revertCommit(client, repo, revert);
      await client.octokit.git.createRef({
        owner: repo.owner,
        repo: repo.name,
        ref: `refs/heads/${branch}`,
        sha,
      });
    });
  } catch (error) {
    if (!(await branchExists(client, repo, branch, error))) throw error;
  }
}

/** An earlier try made it: GitHub answers 422. */
async function branchExists(
  client: GitHubClient,
  repo: Repo,
  branch: string,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof GitHubError) || error.status !== 422) return false;
  return calling('Reading the branch of the revert', async () => {
    const query = { owner: repo.owner, repo: repo.name, ref: `heads/${branch}` };
    const { data } = await client.octokit.git.listMatchingRefs(query);
    return data.some((ref) => ref.ref === `refs/heads/${branch}`);
  });
}

async function revertCommit(client: GitHubClient, repo: Repo, revert: Revert): Promise<string> {
  const where = { owner: repo.owner, repo: repo.name };
  const { data: merge } = await client.octokit.git.getCommit({ ...where, commit_sha: revert.mergeSha });
  const beforeSha = revert.beforeSha ?? merge.parents[0]?.sha;
  if (beforeSha === undefined)
    throw new GitHubError('github-refused', `${revert.mergeSha} has no parent to go back to.`);
  const { data: before } = await client.octokit.git.getCommit({ ...where, commit_sha: beforeSha });
  const message = `${revert.title}\n\nThis reverts #${revert.number}, merged as ${revert.mergeSha}.`;
  const commit = { ...where, message, tree: before.tree.sha, parents: [revert.mergeSha] };
  return (await client.octokit.git.createCommit(commit)).data.sha;
}
