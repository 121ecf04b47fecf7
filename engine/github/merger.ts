import type { GitHubClient, Repo } from './client.ts';
import { calling, isRefused } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { readList } from './pages.ts';

/** `merged_by` of what GitHub's own merge queue merges. No person's login has brackets. */
const QUEUE = 'github-merge-queue[bot]';

/** An App's account, which is no person: it has no permission of a collaborator's that could be asked for. */
export function isApp(login: string): boolean {
  return login.endsWith('[bot]');
}

/**
 * Who answers for a merge: whoever put the pull request into the queue last, where the queue merged it. Where GitHub does not tell that,
 * the queue itself. Throws `GitHubError`.
 */
export async function mergerOf(
  client: GitHubClient,
  repo: Repo,
  number: number,
  mergedBy: string,
): Promise<string> {
  if (mergedBy !== QUEUE) return mergedBy;
  try {
    return (await queuedBy(client, repo, number)) ?? mergedBy;
  } catch (error) {
    if (!isRefused(error)) throw error;
    return mergedBy;
  }
}

interface IssueEvent {
  readonly event?: string;
  readonly actor?: { readonly login?: string } | null;
}

/** GitHub gives the oldest first: where there are more than are read, the last one is not known. */
async function queuedBy(client: GitHubClient, repo: Repo, number: number): Promise<string | undefined> {
  const { items, cut } = await calling(`Reading the events of #${number}`, () =>
    readList<IssueEvent>(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, issue_number: number, per_page: PAGE_SIZE, page };
      return (await client.octokit.issues.listEvents(query)).data;
    }),
  );
  return cut ? undefined : items.findLast(({ event }) => event === 'added_to_merge_queue')?.actor?.login;
}
