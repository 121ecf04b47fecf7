import type { GitHubClient, Repo } from './client.ts';
import { keepComment } from './comment.ts';
import { calling } from './errors.ts';
import { COMMENT_MAX_BYTES, cutNote, PAGE_SIZE } from './limits.ts';
import { readPages } from './pages.ts';
import { cutMarkdown, cutText } from './render/cut.ts';

/** GitHub's bound of a title. Characters. */
const TITLE_MAX = 256;

/** An open issue that this App wrote, by the key in its first line. */
export interface OwnIssue {
  readonly number: number;
  readonly key: string;
  readonly title: string;
  readonly body: string;
}

export interface IssueView {
  /** Which of our issues: `drift:Configuration/web`. */
  readonly key: string;
  readonly title: string;
  /** Markdown, cut to GitHub's limit. */
  readonly body: string;
  /** Of the plan that is stored whole; named where something was cut. */
  readonly digest?: string;
}

const KEY = /^<!-- doaas:([A-Za-z]+:[A-Za-z]+\/[A-Za-z0-9._-]{1,200}) -->/;

function marker(key: string): string {
  const line = `<!-- doaas:${key} -->`;
  if (!KEY.test(line)) throw new Error(`not a key of an issue: ${JSON.stringify(key)}`);
  return line;
}

/** Open issues of ours. One that somebody else wrote is none, whatever it begins with. Throws `GitHubError`. */
export async function ownIssues(client: GitHubClient, repo: Repo): Promise<readonly OwnIssue[]> {
  const all = await calling('Listing the issues', () =>
    readPages(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, state: 'open' as const, per_page: PAGE_SIZE, page };
      return (await client.octokit.issues.listForRepo({ ...query, creator: client.app.botLogin })).data;
    }),
  );
  return all.flatMap((issue) => toOwn(client, issue) ?? []);
}

interface Text {
  readonly title: string;
  readonly body: string;
}

function textOf(view: IssueView): Text {
  const text = `${marker(view.key)}\n${view.body}`;
  const body = cutMarkdown(text, COMMENT_MAX_BYTES, cutNote(view.digest, undefined));
  return { title: cutText(view.title, TITLE_MAX), body };
}

/** Is one of these open issues as it should be? Then publishing sends nothing. */
export function isPublished(view: IssueView, open: readonly OwnIssue[]): boolean {
  const { title, body } = textOf(view);
  return open.some((issue) => issue.key === view.key && issue.title === title && issue.body === body);
}

/**
 * Makes the issue with this key read so: edits the open one, or opens one. Nothing is sent where it reads so already.
 * `open` is what `ownIssues` gave. Returns its number. Throws `GitHubError`.
 */
export async function publishIssue(
  client: GitHubClient,
  repo: Repo,
  view: IssueView,
  open: readonly OwnIssue[],
): Promise<number> {
  const { title, body } = textOf(view);
  const known = open.find((issue) => issue.key === view.key);
  const at = { owner: repo.owner, repo: repo.name };
  if (known === undefined) {
    // a retry inside the call could open two; the activity's retry looks first
    const { data } = await calling('Opening an issue', () =>
      client.octokit.issues.create({ ...at, title, body, request: { retries: 0 } }),
    );
    return data.number;
  }
  if (known.title !== title || known.body !== body) {
    await calling(`Editing issue #${known.number}`, () =>
      client.octokit.issues.update({ ...at, issue_number: known.number, title, body }),
    );
  }
  return known.number;
}

/** Says why, once however often it is called, and closes. Throws `GitHubError`. */
export async function closeIssue(
  client: GitHubClient,
  repo: Repo,
  number: number,
  why: string,
): Promise<void> {
  await keepComment(client, repo, number, { key: 'closed', body: why });
  await setClosed(client, repo, number);
}

/** Without a word. Safe to repeat. Throws `GitHubError`. */
export async function setClosed(client: GitHubClient, repo: Repo, number: number): Promise<void> {
  const at = { owner: repo.owner, repo: repo.name, issue_number: number };
  await calling(`Closing #${number}`, () =>
    client.octokit.issues.update({ ...at, state: 'closed', state_reason: 'completed' }),
  );
}

/** An issue of ours by its number; undefined for one that somebody else wrote, and for pull requests. Throws `GitHubError`. */
export async function ownIssue(
  client: GitHubClient,
  repo: Repo,
  number: number,
): Promise<(OwnIssue & { readonly open: boolean }) | undefined> {
  const { data } = await calling(`Reading issue #${number}`, () =>
    client.octokit.issues.get({ owner: repo.owner, repo: repo.name, issue_number: number }),
  );
  const own = toOwn(client, data);
  return own && { ...own, open: data.state === 'open' };
}

interface RawIssue {
  readonly number: number;
  readonly title: string;
  readonly body?: string | null;
  readonly user: { readonly login: string } | null;
  readonly pull_request?: unknown;
}

function toOwn(
  client: GitHubClient,
  { number, title, body, user, pull_request }: RawIssue,
): OwnIssue | undefined {
  const key = KEY.exec(body ?? '')?.[1];
  if (key === undefined || user?.login !== client.app.botLogin || pull_request !== undefined)
    return undefined;
  return { number, key, title, body: body ?? '' };
}
