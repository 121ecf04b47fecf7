import type { GitHubClient, Repo } from './client.ts';
import { calling } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import type { MergeSettings } from './mergeSettings.ts';
import { readPages } from './pages.ts';
import type { MergeMethod, PullRequest } from './pulls.ts';

export interface PullCommit {
  readonly message: string;
  readonly name: string;
  readonly email: string;
  /** Where GitHub knows the address as somebody's. */
  readonly login: string | undefined;
}

/** Of what GitHub would write; ours and the trailers come on top. Characters. */
const TEXT_MAX = 50_000;
const COAUTHORS_MAX = 100;

/** At most 250, as GitHub lists no more. Throws `GitHubError`. */
export async function commitsOf(
  client: GitHubClient,
  repo: Repo,
  number: number,
): Promise<readonly PullCommit[]> {
  const commits = await calling(`Reading the commits of #${number}`, () =>
    readPages(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, pull_number: number, per_page: PAGE_SIZE, page };
      return (await client.octokit.pulls.listCommits(query)).data;
    }),
  );
  return commits.map(({ commit, author }) => ({
    message: commit.message,
    name: commit.author?.name ?? '',
    email: commit.author?.email ?? '',
    login: author !== null && 'login' in author ? author.login : undefined,
  }));
}

/**
 * Our lines below what GitHub would write without them: a message that is given takes the place of all of it. Trailers stay last, where
 * git looks for them. `commits`: of a squash. See "Configuring commit squashing for pull requests",
 * https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/configuring-commit-squashing-for-pull-requests
 */
export function mergeMessage(
  method: MergeMethod,
  settings: Pick<MergeSettings, 'squashMessage' | 'mergeMessage'>,
  pull: Pick<PullRequest, 'title' | 'body' | 'author'>,
  commits: readonly PullCommit[],
  ours: string,
): string {
  const whole = method === 'squash' ? squashText(settings, pull, commits) : mergeText(settings, pull);
  // as a browser sends it
  const text = whole.replaceAll('\r\n', '\n');
  const trailers = method === 'squash' ? coauthors(text, pull.author, commits) : [];
  const above = method === 'squash' ? text.replace(COAUTHORED, '') : text;
  const parts = [above.trim().slice(0, TEXT_MAX), ours, trailers.join('\n')];
  return parts.filter((part) => part !== '').join('\n\n');
}

function mergeText(
  { mergeMessage: kind }: Pick<MergeSettings, 'mergeMessage'>,
  { title, body }: Pick<PullRequest, 'title' | 'body'>,
): string {
  if (kind === 'BLANK') return '';
  return kind === 'PR_BODY' ? body : title;
}

function squashText(
  { squashMessage: kind }: Pick<MergeSettings, 'squashMessage'>,
  { body }: Pick<PullRequest, 'body'>,
  commits: readonly PullCommit[],
): string {
  if (kind === 'BLANK') return '';
  if (kind === 'PR_BODY') return body;
  const [only, ...more] = commits;
  // the first line is the title then
  if (only !== undefined && more.length === 0) return only.message.replace(/^.*\n?/, '');
  return commits.map(({ message }) => `* ${message.trim()}`).join('\n\n');
}

/** Anybody writes these texts: no character has two ways to match, so a line takes no longer than it is long. */
const COAUTHORED = /^co-authored-by: *([^\s<][^<\n]*<([^<>\n]+)>) *$/gim;

/** Each address once. */
function coauthors(text: string, author: string, commits: readonly PullCommit[]): readonly string[] {
  const named = [text, ...commits.map(({ message }) => message)].flatMap((each) =>
    [...each.matchAll(COAUTHORED)].map(([, who = '', email = '']) => [email.toLowerCase(), who] as const),
  );
  const others = commits
    .filter(({ login, email }) => login !== author && email !== '')
    .map(({ name, email }) => [email.toLowerCase(), `${name} <${email}>`] as const);
  const all = [...new Map([...named, ...others]).values()];
  return all.slice(0, COAUTHORS_MAX).map((who) => `Co-authored-by: ${who}`);
}
