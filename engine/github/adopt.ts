import type { GitHubClient, Repo } from './client.ts';
import { calling } from './errors.ts';

/** A pull request whose branch is ours to write. */
export interface OwnBranchPull {
  /** Without `refs/heads/`; always the same for the same purpose. */
  readonly branch: string;
  readonly baseRef: string;
  readonly baseSha: string;
  /** Whole new contents by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
}

export type PublishedPull =
  | { readonly kind: 'published'; readonly number: number; readonly again: boolean }
  /** Somebody else has committed to the branch: it is left alone. */
  | { readonly kind: 'foreign'; readonly number: number | undefined };

/** Trailer of our commits: the tree that we made. A commit that was amended has another. */
const TRAILER = 'DOaaS-tree';

/**
 * Opens the pull request, or brings the one that is open to these files. Safe to repeat: branch and pull request are found
 * again. A branch on which somebody else has worked meanwhile is not touched. Throws `GitHubError`.
 */
export async function publishOwnBranch(
  client: GitHubClient,
  repo: Repo,
  pull: OwnBranchPull,
): Promise<PublishedPull> {
  const open = await openPullOf(client, repo, pull.branch);
  const tree = await makeTree(client, repo, pull);
  const tip = await tipOf(client, repo, pull.branch);
  if (tip !== undefined && !tip.ours) return { kind: 'foreign', number: open };
  const upToDate = tip !== undefined && tip.tree === tree && tip.parent === pull.baseSha;
  if (!upToDate) await moveBranch(client, repo, pull, tree, tip !== undefined);
  return { kind: 'published', number: await showPull(client, repo, pull, open), again: open !== undefined };
}

async function openPullOf(client: GitHubClient, repo: Repo, branch: string): Promise<number | undefined> {
  const { data } = await calling(`Looking for the pull request of ${branch}`, () =>
    client.octokit.pulls.list({ ...at(repo), head: `${repo.owner}:${branch}`, state: 'open' }),
  );
  return data.find(({ head }) => head.ref === branch)?.number;
}

function makeTree(client: GitHubClient, repo: Repo, { baseSha, files }: OwnBranchPull): Promise<string> {
  return calling('Writing the changed files', async () => {
    const { data: base } = await client.octokit.git.getCommit({ ...at(repo), commit_sha: baseSha });
    const { data: whole } = await client.octokit.git.getTree({
      ...at(repo),
      tree_sha: base.tree.sha,
      recursive: '1',
    });
    const modes = new Map(whole.tree.map(({ path, mode }) => [path, mode]));
    const tree = [...files].map(([path, content]) => {
      const mode = modes.get(path) === '100755' ? ('100755' as const) : ('100644' as const);
      return { path, mode, type: 'blob' as const, content };
    });
    const made = await client.octokit.git.createTree({ ...at(repo), base_tree: base.tree.sha, tree });
    return made.data.sha;
  });
}

interface Tip {
  readonly tree: string;
  readonly parent: string | undefined;
  readonly ours: boolean;
}

async function tipOf(client: GitHubClient, repo: Repo, branch: string): Promise<Tip | undefined> {
  return calling(`Reading the branch ${branch}`, async () => {
    const refs = await client.octokit.git.listMatchingRefs({ ...at(repo), ref: `heads/${branch}` });
    const found = refs.data.find(({ ref }) => ref === `refs/heads/${branch}`);
    if (found === undefined) return undefined;
    const { data } = await client.octokit.git.getCommit({ ...at(repo), commit_sha: found.object.sha });
    const ours = data.parents.length === 1 && data.message.endsWith(`\n${TRAILER}: ${data.tree.sha}`);
    return { tree: data.tree.sha, parent: data.parents[0]?.sha, ours };
  });
}

async function moveBranch(
  client: GitHubClient,
  repo: Repo,
  { branch, baseSha, title }: OwnBranchPull,
  tree: string,
  exists: boolean,
): Promise<void> {
  await calling(`Writing the branch ${branch}`, async () => {
    const message = `${title}\n\n${TRAILER}: ${tree}`;
    const commit = { ...at(repo), message, tree, parents: [baseSha] };
    const { sha } = (await client.octokit.git.createCommit(commit)).data;
    if (exists) await client.octokit.git.updateRef({ ...at(repo), ref: `heads/${branch}`, sha, force: true });
    else await client.octokit.git.createRef({ ...at(repo), ref: `refs/heads/${branch}`, sha });
  });
}

function showPull(
  client: GitHubClient,
  repo: Repo,
  { branch, baseRef, title, body }: OwnBranchPull,
  open: number | undefined,
): Promise<number> {
  return calling(`Opening the pull request of ${branch}`, async () => {
    if (open !== undefined) {
      await client.octokit.pulls.update({ ...at(repo), pull_number: open, title, body });
      return open;
    }
    const pull = { ...at(repo), head: branch, base: baseRef, title, body };
    return (await client.octokit.pulls.create({ ...pull, request: { retries: 0 } })).data.number;
  });
}

function at({ owner, name }: Repo) {
  return { owner, repo: name };
}
