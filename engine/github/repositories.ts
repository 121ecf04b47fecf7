import type { GitHub, GitHubClient, Repo } from './client.ts';
import { calling, expectSame, GitHubError, isShutOut } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { readWhole } from './pages.ts';

/** A repository that an installation of the App covers. */
export interface CoveredRepository extends Repo {
  /** GitHub's own, which survives a rename. */
  readonly id: number;
  readonly defaultBranch: string;
  readonly installationId: number;
  /** Can be read and not written. */
  readonly archived: boolean;
}

export interface Covered {
  readonly repositories: readonly CoveredRepository[];
  /** Installations of which nothing can be said now: a used-up limit of one is nothing to the others. */
  readonly unread: readonly { readonly installationId: number; readonly reason: GitHubError }[];
}

/** All repositories that can be read; those of suspended installations cannot. Throws `GitHubError` where the App itself cannot ask. */
export async function coveredRepositories(
  github: Pick<GitHub, 'installations' | 'installationClient'>,
): Promise<Covered> {
  const repositories: CoveredRepository[] = [];
  const unread: Covered['unread'][number][] = [];
  for (const installationId of await github.installations()) {
    const client = await github.installationClient(installationId);
    const found = await repositoriesOf(client).catch(unlessGone);
    if (found instanceof GitHubError) unread.push({ installationId, reason: found });
    else repositories.push(...found);
  }
  return { repositories, unread };
}

/** One that is suspended or uninstalled since the list was read has none. */
function unlessGone(error: unknown): readonly CoveredRepository[] | GitHubError {
  if (isShutOut(error)) return [];
  if (error instanceof GitHubError) return error;
  throw error;
}

async function repositoriesOf(client: GitHubClient): Promise<readonly CoveredRepository[]> {
  const repositories = await calling('Listing the repositories', () =>
    readWhole(async (page) => {
      const query = { per_page: PAGE_SIZE, page };
      return (await client.octokit.apps.listReposAccessibleToInstallation(query)).data.repositories;
    }),
  );
  const { installationId } = client;
  return repositories.map(({ id, name, owner, default_branch: defaultBranch, archived }) => {
    return { id, owner: owner.login, name, defaultBranch, installationId, archived };
  });
}

export interface OpenPull {
  readonly number: number;
  readonly headSha: string;
}

/** All, or those into one branch. Throws `GitHubError`. */
export function openPulls(client: GitHubClient, repo: Repo, base?: string): Promise<readonly OpenPull[]> {
  return calling('Listing open pull requests', async () => {
    const pulls = await readWhole(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, state: 'open' as const, per_page: PAGE_SIZE, page };
      return (await client.octokit.pulls.list(base === undefined ? query : { ...query, base })).data;
    });
    return pulls.map((pull) => ({ number: pull.number, headSha: pull.head.sha }));
  });
}

/** As it is called now: GitHub leads from a former name to it, unless that name is somebody else's by now. Throws `GitHubError`. */
export function readRepository(
  client: GitHubClient,
  repo: Repo,
): Promise<Omit<CoveredRepository, 'installationId'>> {
  return calling(`Reading ${repo.owner}/${repo.name}`, async () => {
    const { data } = await client.octokit.repos.get({ owner: repo.owner, repo: repo.name });
    const { id, name, owner, default_branch: defaultBranch, archived } = data;
    return { id, owner: owner.login, name, defaultBranch, archived };
  });
}

/** Throws `GitHubError`, also where the name belongs to another repository by now. */
export async function defaultBranchOf(client: GitHubClient, repo: Repo): Promise<string> {
  const { id, defaultBranch } = await readRepository(client, repo);
  expectSame(repo, id);
  return defaultBranch;
}
