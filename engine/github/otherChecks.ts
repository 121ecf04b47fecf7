import type { GitHubClient, Repo } from './client.ts';
import { calling } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { readPages } from './pages.ts';

/** A check run of another App on a commit. */
export interface OtherCheck {
  readonly name: string;
  readonly state: 'running' | 'green' | 'red';
}

/** What GitHub itself lets a required check pass with. */
const GREEN = ['success', 'neutral', 'skipped'];

/** The latest check runs of a commit without our own, which would wait for themselves. Throws `GitHubError`. */
export async function otherChecks(
  client: GitHubClient,
  repo: Repo,
  sha: string,
): Promise<readonly OtherCheck[]> {
  const runs = await calling(`Reading the checks of ${sha.slice(0, 8)}`, () =>
    readPages(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, ref: sha, per_page: PAGE_SIZE, page };
      return (await client.octokit.checks.listForRef({ ...query, filter: 'latest' })).data.check_runs;
    }),
  );
  return runs
    .filter((run) => run.app?.id !== client.app.id)
    .map(({ name, status, conclusion }) => ({
      name,
      state: status !== 'completed' ? 'running' : GREEN.includes(conclusion ?? '') ? 'green' : 'red',
    }));
}
