import type { GitHubClient, Repo } from './client.ts';
import { calling, isRefused } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { type List, readList } from './pages.ts';

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

/** `cut`: there may be more than were read, so that none of them is known for sure. */
export interface OtherChecks {
  readonly checks: readonly OtherCheck[];
  readonly cut: boolean;
}

/**
 * The latest check runs of a commit without our own, which would wait for themselves, and the latest status of each
 * context and maker; up to 2,000 of either are read. An App that may not read statuses is shown none. Throws `GitHubError`.
 */
export async function otherChecks(client: GitHubClient, repo: Repo, sha: string): Promise<OtherChecks> {
  const [runs, statuses] = await Promise.all([
    checkRuns(client, repo, sha),
    commitStatuses(client, repo, sha).catch((error: unknown) => {
      if (!isRefused(error)) throw error;
      return { items: [], cut: false };
    }),
  ]);
  return { checks: [...runs.items, ...statuses.items], cut: runs.cut || statuses.cut };
}

async function checkRuns(client: GitHubClient, repo: Repo, sha: string): Promise<List<OtherCheck>> {
  const { items, cut } = await calling(`Reading the checks of ${sha.slice(0, 8)}`, () =>
    readList(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, ref: sha, per_page: PAGE_SIZE, page };
      return (await client.octokit.checks.listForRef({ ...query, filter: 'latest' })).data.check_runs;
    }),
  );
  const others = items
    .filter((run) => run.app?.id !== client.app.id)
    .map(({ name, app, status, conclusion }) => ({
      name,
      app: app?.slug,
      state: runState(status, conclusion),
    }));
  return { items: others, cut };
}

function runState(status: string, conclusion: string | null): OtherCheck['state'] {
  if (status !== 'completed') return 'running';
  return GREEN.includes(conclusion ?? '') ? 'green' : 'red';
}

const BOT = /\[bot\]$/;

/** GitHub gives the newest first. */
async function commitStatuses(client: GitHubClient, repo: Repo, sha: string): Promise<List<OtherCheck>> {
  const { items, cut } = await calling(`Reading the statuses of ${sha.slice(0, 8)}`, () =>
    readList(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, ref: sha, per_page: PAGE_SIZE, page };
      return (await client.octokit.repos.listCommitStatusesForRef(query)).data;
    }),
  );
  const latest = new Map<string, OtherCheck>();
  for (const { context, state, creator } of items) {
    const isApp = creator?.type === 'Bot' && BOT.test(creator.login);
    const app = isApp ? creator.login.replace(BOT, '') : undefined;
    const key = JSON.stringify([context, app]);
    if (!latest.has(key)) latest.set(key, { name: context, app, state: stateOf(state) });
  }
  return { items: [...latest.values()], cut };
}

function stateOf(state: string): OtherCheck['state'] {
  if (state === 'success') return 'green';
  return state === 'pending' ? 'running' : 'red';
}
