import type { GitHubClient, Repo } from './client.ts';
import { calling, isRefused } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { readPages } from './pages.ts';

/** A check run or commit status of somebody else on a commit. */
export interface OtherCheck {
  /** Of a status: its context. */
  readonly name: string;
  /** The name of the App that made it, as in its address; none of a status that a person's token made. */
  readonly app?: string | undefined;
  readonly state: 'running' | 'green' | 'red';
}

/** What GitHub itself lets a required check pass with. */
const GREEN = ['success', 'neutral', 'skipped'];

/**
 * The latest check runs of a commit without our own, which would wait for themselves, and the latest status of each
 * context and maker. An App that may not read statuses is shown none. Throws `GitHubError`.
 */
export async function otherChecks(
  client: GitHubClient,
  repo: Repo,
  sha: string,
): Promise<readonly OtherCheck[]> {
  const [runs, statuses] = await Promise.all([
    checkRuns(client, repo, sha),
    commitStatuses(client, repo, sha).catch((error: unknown) => {
      if (!isRefused(error)) throw error;
      return [];
    }),
  ]);
  return [...runs, ...statuses];
}

async function checkRuns(client: GitHubClient, repo: Repo, sha: string): Promise<readonly OtherCheck[]> {
  const runs = await calling(`Reading the checks of ${sha.slice(0, 8)}`, () =>
    readPages(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, ref: sha, per_page: PAGE_SIZE, page };
      return (await client.octokit.checks.listForRef({ ...query, filter: 'latest' })).data.check_runs;
    }),
  );
  return runs
    .filter((run) => run.app?.id !== client.app.id)
    .map(({ name, app, status, conclusion }) => ({
      name,
      app: app?.slug,
      state: status !== 'completed' ? 'running' : GREEN.includes(conclusion ?? '') ? 'green' : 'red',
    }));
}

const BOT = /\[bot\]$/;

/** GitHub gives the newest first. */
async function commitStatuses(client: GitHubClient, repo: Repo, sha: string): Promise<readonly OtherCheck[]> {
  const statuses = await calling(`Reading the statuses of ${sha.slice(0, 8)}`, () =>
    readPages(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, ref: sha, per_page: PAGE_SIZE, page };
      return (await client.octokit.repos.listCommitStatusesForRef(query)).data;
    }),
  );
  const latest = new Map<string, OtherCheck>();
  for (const { context, state, creator } of statuses) {
    const isApp = creator?.type === 'Bot' && BOT.test(creator.login);
    const app = isApp ? creator.login.replace(BOT, '') : undefined;
    const key = JSON.stringify([context, app]);
    if (!latest.has(key)) latest.set(key, { name: context, app, state: stateOf(state) });
  }
  return [...latest.values()];
}

function stateOf(state: string): OtherCheck['state'] {
  if (state === 'success') return 'green';
  return state === 'pending' ? 'running' : 'red';
}
