import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';

export interface Revert {
  /** The merged pull request. */
  readonly number: number;
  readonly baseRef: string;
  /** What the merge made of the base branch. */
  readonly mergeSha: string;
  /** The base branch just before: `previousTip`. */
  readonly beforeSha: string;
  readonly title: string;
  readonly body: string;
}

export interface OpenedPull {
  readonly number: number;
  readonly url: string;
}

/** What the commit of a revert is, whoever made it. */
interface Reverse {
  /** The merge. */
  readonly parent: string;
  /** As it was before the merge. */
  readonly tree: string;
}

/** Names that are tried, as anybody who may push can take one: `doaas/revert-7`, `doaas/revert-7-2`, ... */
const NAMES_MAX = 5;

/**
 * Opens the pull request that reverts a merged one. The commit has the tree from before and the merge as its parent, so that git's own three-way
 * merge makes it the reverse of exactly that change, also when the base has moved on. Safe to repeat: branch and pull request are found
 * again by that commit. Throws `GitHubError`; `github-refused` where others have taken all names of its branch.
 */
export async function openRevert(client: GitHubClient, repo: Repo, revert: Revert): Promise<OpenedPull> {
  const name = `doaas/revert-${revert.number}`;
  const reverse = await reverseOf(client, repo, revert);
  for (let n = 1; n <= NAMES_MAX; n += 1) {
    const branch = n === 1 ? name : `${name}-${n}`;
    const found = await findPull(client, repo, branch, reverse);
    if (found !== undefined) return found;
    if (await ensureBranch(client, repo, branch, revert, reverse))
      return openPull(client, repo, branch, revert);
  }
  const message = `The branches ${name} and ${name}-2 to -${NAMES_MAX} are there already and hold something else than the revert of #${revert.number}: look who made them, delete one, then ask again or revert by hand.`;
  throw new GitHubError('github-refused', message);
}

function openPull(client: GitHubClient, repo: Repo, branch: string, revert: Revert): Promise<OpenedPull> {
  return calling(`Opening the revert of #${revert.number}`, async () => {
    const { data } = await client.octokit.pulls.create({
      ...at(repo),
      head: branch,
      base: revert.baseRef,
      title: revert.title,
      body: revert.body,
      request: { retries: 0 },
    });
    return { number: data.number, url: data.html_url };
  });
}

function reverseOf(client: GitHubClient, repo: Repo, revert: Revert): Promise<Reverse> {
  return calling(`Preparing the revert of #${revert.number}`, async () => {
    const query = { ...at(repo), commit_sha: revert.beforeSha };
    const { data: before } = await client.octokit.git.getCommit(query);
    return { parent: revert.mergeSha, tree: before.tree.sha };
  });
}

/** One that somebody closed counts too: it was offered. */
function findPull(
  client: GitHubClient,
  repo: Repo,
  branch: string,
  reverse: Reverse,
): Promise<OpenedPull | undefined> {
  return calling('Looking for the revert', async () => {
    const { pulls } = client.octokit;
    const head = `${repo.owner}:${branch}`;
    const { data } = await pulls.list({ ...at(repo), head, state: 'all' as const });
    for (const pull of data.filter((candidate) => candidate.head.ref === branch)) {
      const commits = await pulls.listCommits({ ...at(repo), pull_number: pull.number });
      if (commits.data.some(({ commit, parents }) => isReverse(commit.tree.sha, parents, reverse)))
        return { number: pull.number, url: pull.html_url };
    }
    return undefined;
  });
}

function isReverse(tree: string, parents: readonly { readonly sha: string }[], reverse: Reverse): boolean {
  return tree === reverse.tree && parents.length === 1 && parents[0]?.sha === reverse.parent;
}

/** Whether the branch holds the revert, made now or by an earlier try. */
async function ensureBranch(
  client: GitHubClient,
  repo: Repo,
  branch: string,
  revert: Revert,
  reverse: Reverse,
): Promise<boolean> {
  try {
    await calling(`Preparing the revert of #${revert.number}`, async () => {
      const message = `${revert.title}\n\nThis reverts #${revert.number}, merged as ${revert.mergeSha}.`;
      const commit = { ...at(repo), message, tree: reverse.tree, parents: [reverse.parent] };
      const { sha } = (await client.octokit.git.createCommit(commit)).data;
      await client.octokit.git.createRef({ ...at(repo), ref: `refs/heads/${branch}`, sha });
    });
    return true;
  } catch (error) {
    // GitHub's answer where the branch is there
    if (!(error instanceof GitHubError) || error.status !== 422) throw error;
    const tip = await tipOf(client, repo, branch);
    if (tip === undefined) throw error;
    return isReverse(tip.tree.sha, tip.parents, reverse);
  }
}

function tipOf(client: GitHubClient, repo: Repo, branch: string) {
  return calling('Reading the branch of the revert', async () => {
    const { git } = client.octokit;
    const { data } = await git.listMatchingRefs({ ...at(repo), ref: `heads/${branch}` });
    const ref = data.find((each) => each.ref === `refs/heads/${branch}`);
    return ref && (await git.getCommit({ ...at(repo), commit_sha: ref.object.sha })).data;
  });
}

function at({ owner, name }: Repo): { readonly owner: string; readonly repo: string } {
  return { owner, repo: name };
}
