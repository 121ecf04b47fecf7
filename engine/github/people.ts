import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';
import { PAGE_SIZE, PAGES_MAX } from './limits.ts';
import { readPages } from './pages.ts';

/** An account; the id is missing where GitHub did not say it. */
interface Person {
  readonly login: string;
  readonly id?: number;
}

/** The committer of what is made on GitHub's own pages. */
const WEB_FLOW = 'web-flow';

/**
 * Authors and committers of a pull request's commits, of those that GitHub knows as accounts (it lists 250 commits).
 * Throws `GitHubError`.
 */
export async function committersOf(
  client: GitHubClient,
  repo: Repo,
  number: number,
): Promise<readonly Person[]> {
  const commits = await calling(`Reading the commits of #${number}`, () =>
    readPages(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, pull_number: number, per_page: PAGE_SIZE, page };
      return (await client.octokit.pulls.listCommits(query)).data;
    }),
  );
  const people = commits.flatMap(({ author, committer }) => [author, committer].flatMap(personOf));
  return [...new Map(people.map((person) => [person.login, person])).values()];
}

/** The API gives an empty object for nobody, too. */
function personOf(given: unknown): readonly Person[] {
  const { login, id } = (given ?? {}) as { readonly login?: unknown; readonly id?: unknown };
  if (typeof login !== 'string' || login === WEB_FLOW) return [];
  return [{ login, ...(typeof id === 'number' ? { id } : {}) }];
}

/** The account that has this login now; undefined where nobody has. Throws `GitHubError`. */
export async function accountOf(client: GitHubClient, login: string): Promise<Person | undefined> {
  try {
    const { data } = await calling(`Reading the account ${login}`, () =>
      client.octokit.users.getByUsername({ username: login }),
    );
    return { login: data.login, id: data.id };
  } catch (error) {
    if (error instanceof GitHubError && error.type === 'github-not-found') return undefined;
    throw error;
  }
}

export interface TeamMembers {
  /** Lower-case logins of its members, those of teams below it included; undefined where GitHub does not show the team. */
  readonly logins: ReadonlySet<string> | undefined;
}

/** Members read of one team. */
export const TEAM_MEMBERS_MAX = PAGE_SIZE * PAGES_MAX;

/** A team that is not there, or that the App may not read, is an answer and no error. Throws `GitHubError` otherwise. */
export async function membersOf(client: GitHubClient, org: string, team: string): Promise<TeamMembers> {
  try {
    const members = await calling(`Reading the team ${team}`, () =>
      readPages(async (page) => {
        const query = { org, team_slug: team, per_page: PAGE_SIZE, page };
        return (await client.octokit.teams.listMembersInOrg(query)).data;
      }),
    );
    return { logins: new Set(members.map(({ login }) => login.toLowerCase())) };
  } catch (error) {
    if (!(error instanceof GitHubError) || error.retryable) throw error;
    return { logins: undefined };
  }
}
