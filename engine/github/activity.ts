import type { GitHubClient, Repo } from './client.ts';
import { calling, isRefused } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { nextIn } from './pages.ts';

export interface ToldPush {
  readonly before: string;
  readonly after: string;
  /** Id 0 and no login for an account that was deleted since. */
  readonly account: { readonly login: string; readonly id: number };
}

export interface ToldPushes {
  readonly pushes: readonly ToldPush[];
  /** GitHub has more than were read. */
  readonly cut: boolean;
}

/** Pages read: 1,000 pushes to one branch. */
const ACTIVITY_PAGES_MAX = 10;
const NOBODY = { login: '', id: 0 };

/**
 * Who pushed to a branch, newest first, as GitHub itself keeps it; nothing where it does not say (an older GitHub Enterprise
 * Server). Throws `GitHubError` where another try may help.
 */
export async function pushesTo(client: GitHubClient, repo: Repo, branch: string): Promise<ToldPushes> {
  try {
    return await calling(`Reading who pushed to ${branch}`, () => readPushes(client, repo, branch));
  } catch (error) {
    if (isRefused(error)) return { pushes: [], cut: false };
    throw error;
  }
}

async function readPushes(client: GitHubClient, repo: Repo, branch: string): Promise<ToldPushes> {
  const pushes: ToldPush[] = [];
  const query = { owner: repo.owner, repo: repo.name, ref: `refs/heads/${branch}`, per_page: PAGE_SIZE };
  let after: string | undefined;
  for (let page = 1; page <= ACTIVITY_PAGES_MAX; page++) {
    const cursor = after === undefined ? {} : { after };
    const { data, headers } = await client.octokit.repos.listActivities({ ...query, ...cursor });
    const moves = data.filter(({ activity_type: type }) => type !== 'branch_deletion');
    pushes.push(
      ...moves.map(({ before, after, actor }) => ({
        before,
        after,
        account: actor === null ? NOBODY : { login: actor.login, id: actor.id },
      })),
    );
    after = nextIn(headers.link, 'after');
    if (after === undefined) return { pushes, cut: false };
  }
  return { pushes, cut: true };
}
