import type { GitHub, GitHubClient, Repo } from './client.ts';
import { calling } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { readPages } from './pages.ts';

/** A repository that an installation of the App covers. */
export interface CoveredRepository extends Repo {
  /** GitHub's own, which survives a rename. */
  readonly id: number;
  readonly defaultBranch: string;
  readonly installationId: number;
}

/** All repositories that can be worked on; archived ones and those of suspended installations cannot. Throws `GitHubError`. */
export async function coveredRepositories(
  github: Pick<GitHub, 'installations' | 'installationClient'>,
): Promise<readonly CoveredRepository[]> {
  const all: CoveredRepository[] = [];
  for (const installationId of await github.installations())
    all.push(...(await repositoriesOf(await github.installationClient(installationId))));
  return all;
}

async function repositoriesOf(client: GitHubClient): Promise<readonly CoveredRepository[]> {
  const repositories = await calling('Listing the repositories', () =>
    readPages(async (page) => {
      const query = { per_page: PAGE_SIZE, page };
      return (await client.octokit.apps.listReposAccessibleToInstallation(query)).data.repositories;
    }),
  );
  return repositories
    .filter((repository) => !repository.archived)
    .map(({ id, name, owner, default_branch: defaultBranch }) => {
      return { id, owner: owner.login, name, defaultBranch, installationId: client.installationId };
    });
}

export interface OpenPull {
  readonly number: number;
  readonly headSha: string;
}

/** All, or those into one branch. Throws `GitHubError`. */
export function openPulls(client: GitHubClient, repo: Repo, base?: string): Promise<readonly OpenPull[]> {
  return calling('Listing open pull requests', async () => {
    const pulls = await readPages(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, state: 'open' as const, per_page: PAGE_SIZE, page };
      return (await client.octokit.pulls.list(base === undefined ? query : { ...query, base })).data;
    });
    return pulls.map((pull) => ({ number: pull.number, headSha: pull.head.sha }));
  });
}

/** Throws `GitHubError`. */
export function defaultBranchOf(client: GitHubClient, repo: Repo): Promise<string> {
  return calling(`Reading ${repo.owner}/${repo.name}`, async () => {
    const { data } = await client.octokit.repos.get({ owner: repo.owner, repo: repo.name });
    return data.default_branch;
  });
}
