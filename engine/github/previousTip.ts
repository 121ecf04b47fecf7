import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { readPages } from './pages.ts';

export interface MergedPull {
  readonly number: number;
  /** What the merge made of the base branch. */
  readonly mergeSha: string;
}

/** What a rebase keeps of a commit. */
interface Told {
  readonly author: { readonly name?: string; readonly email?: string; readonly date?: string } | null;
  readonly message: string;
}

/**
 * Where the base branch was just before a pull request was merged, however it was: of a merge commit its first parent; else what the pull
 * request's own commits came on, which are several where they were rebased, and one where they were squashed. GitHub says neither the
 * method nor the commit. `known`: a commit that the base branch had already; without it, a commit that the pull request shares with what was
 * rebased just before it counts as its own. Throws `GitHubError`.
 */
export async function previousTip(
  client: GitHubClient,
  repo: Repo,
  { number, mergeSha }: MergedPull,
  known?: string,
): Promise<string> {
  let commit = await commitAt(client, repo, mergeSha);
  const before = firstParentOf(commit);
  if (commit.parents.length > 1 || before === known) return before;
  let own = (await commitsOf(client, repo, number)).map(nameOf);
  for (let tip = mergeSha; ; commit = await commitAt(client, repo, tip)) {
    const found = own.lastIndexOf(nameOf(commit));
    if (found < 0) return tip === mergeSha ? before : tip;
    own = own.slice(0, found);
    tip = firstParentOf(commit);
    if (own.length === 0 || tip === known) return tip;
  }
}

function commitAt(client: GitHubClient, repo: Repo, sha: string) {
  return calling(`Reading the commit ${sha.slice(0, 8)}`, async () => {
    const query = { owner: repo.owner, repo: repo.name, commit_sha: sha };
    return (await client.octokit.git.getCommit(query)).data;
  });
}

function firstParentOf({ sha, parents }: Awaited<ReturnType<typeof commitAt>>): string {
  const [parent] = parents;
  if (parent === undefined) throw new GitHubError('github-refused', `${sha} has no parent.`);
  return parent.sha;
}

/** Oldest first. GitHub gives 250 at most, and rebases no more than 100. */
function commitsOf(client: GitHubClient, repo: Repo, number: number): Promise<readonly Told[]> {
  return calling(`Reading the commits of #${number}`, () =>
    readPages(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, pull_number: number, per_page: PAGE_SIZE, page };
      return (await client.octokit.pulls.listCommits(query)).data.map(({ commit }) => commit);
    }),
  );
}

function nameOf({ author, message }: Told): string {
  // git keeps whole seconds
  const second = Math.floor(Date.parse(author?.date ?? '') / 1000);
  return JSON.stringify([author?.name, author?.email, second, message]);
}
