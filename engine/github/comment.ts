import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';
import { COMMENT_MAX_BYTES, cutNote, PAGE_SIZE } from './limits.ts';
import { readPages } from './pages.ts';
import { cutMarkdown } from './render/cut.ts';

export interface CommentView {
  /** Which of our comments: `pull-request` is the sticky one, `reply-ID` the answer to a command. */
  readonly key: string;
  /** Markdown, cut to GitHub's limit. */
  readonly body: string;
  /** Named in the note where something was cut. */
  readonly digest?: string;
  /** Where the whole of it can be read. */
  readonly wholeUrl?: string;
  /** From an earlier publication; saves a request. */
  readonly commentId?: number;
}

export interface PublishedComment {
  readonly commentId: number;
  readonly url: string;
}

/**
 * Makes our comment with this key read so: edits it in place, or creates it. Safe to repeat. A comment is ours only if the App wrote it *and* it
 * begins with the marker; a marker pasted by someone else is a comment like any other. Throws `GitHubError`.
 */
export async function publishComment(
  client: GitHubClient,
  repo: Repo,
  number: number,
  view: CommentView,
): Promise<PublishedComment> {
  const body = bodyOf(view);
  const name = [repo.id ?? `${repo.owner}/${repo.name}`, number, view.key];
  const known =
    view.commentId ?? client.known.get(...name) ?? (await ownComment(client, repo, number, view.key))?.id;
  const published = await editOrCreate(client, repo, { number, known, body });
  client.known.set(published.commentId, ...name);
  return published;
}

async function editOrCreate(
  client: GitHubClient,
  repo: Repo,
  {
    number,
    known,
    body,
  }: { readonly number: number; readonly known: number | undefined; readonly body: string },
): Promise<PublishedComment> {
  if (known === undefined) return create(client, repo, number, body);
  try {
    return await edit(client, repo, known, body);
  } catch (error) {
    if (error instanceof GitHubError && error.type === 'github-not-found')
      return create(client, repo, number, body);
    throw error;
  }
}

/**
 * The same, and writes only where it does not read so. `commentId`: one that may have had the marker; it is made to read so if the App
 * wrote it and it is still there, whatever it says now. Throws `GitHubError`.
 */
export async function keepComment(
  client: GitHubClient,
  repo: Repo,
  number: number,
  view: CommentView,
): Promise<'there' | 'written'> {
  const known =
    (await commentOfOurs(client, repo, view.commentId)) ?? (await ownComment(client, repo, number, view.key));
  if (known?.body === bodyOf(view)) return 'there';
  const { commentId: _, ...rest } = view;
  await publishComment(client, repo, number, { ...rest, ...(known && { commentId: known.id }) });
  return 'written';
}

/** Answers one comment, once, however often it is called. */
export function replyTo(
  client: GitHubClient,
  repo: Repo,
  number: number,
  commentId: number,
  body: string,
): Promise<PublishedComment> {
  return publishComment(client, repo, number, { key: `reply-${commentId}`, body });
}

export type Reaction = '+1' | '-1' | 'eyes' | 'rocket' | 'confused' | 'hooray';

/** GitHub keeps one reaction of a kind, so this may be repeated. */
export async function react(
  client: GitHubClient,
  repo: Repo,
  commentId: number,
  content: Reaction,
): Promise<void> {
  await calling('Reacting to a comment', () =>
    client.octokit.reactions.createForIssueComment({
      owner: repo.owner,
      repo: repo.name,
      comment_id: commentId,
      content,
    }),
  );
}

/** How a comment begins that says of an override, with the id of the comment that asked for it. */
export const NOTICE = /^<!-- doaas:override-(\d{1,15}) -->/;

const KEY = /^[a-z0-9-]{1,64}$/;

export function marker(key: string): string {
  if (!KEY.test(key)) throw new Error(`not a key of a comment: ${JSON.stringify(key)}`);
  return `<!-- doaas:${key} -->`;
}

function bodyOf(view: CommentView): string {
  return cutMarkdown(
    `${marker(view.key)}\n${view.body}`,
    COMMENT_MAX_BYTES,
    cutNote(view.digest, view.wholeUrl),
  );
}

/** One that the App wrote; undefined for another's and for one that is gone. */
async function commentOfOurs(
  client: GitHubClient,
  repo: Repo,
  id: number | undefined,
): Promise<OwnComment | undefined> {
  if (id === undefined) return undefined;
  try {
    return await calling('Reading a comment', async () => {
      const query = { owner: repo.owner, repo: repo.name, comment_id: id };
      const { data } = await client.octokit.issues.getComment(query);
      return data.user?.login === client.app.botLogin ? data : undefined;
    });
  } catch (error) {
    if (error instanceof GitHubError && error.type === 'github-not-found') return undefined;
    throw error;
  }
}

interface OwnComment {
  readonly id: number;
  readonly body?: string | undefined;
}

async function ownComment(
  client: GitHubClient,
  repo: Repo,
  number: number,
  key: string,
): Promise<OwnComment | undefined> {
  const start = marker(key);
  const isOwn = (comment: { user: { login: string } | null; body?: string | undefined }) =>
    comment.user?.login === client.app.botLogin && (comment.body ?? '').startsWith(start);
  const comments = await calling('Reading the comments', () =>
    readPages(
      async (page) => {
        const query = { owner: repo.owner, repo: repo.name, issue_number: number, per_page: PAGE_SIZE, page };
        return (await client.octokit.issues.listComments(query)).data;
      },
      (items) => items.some(isOwn),
    ),
  );
  return comments.find(isOwn);
}

function create(client: GitHubClient, repo: Repo, number: number, body: string): Promise<PublishedComment> {
  return calling(`Commenting on #${number}`, async () => {
    const { data } = await client.octokit.issues.createComment({
      owner: repo.owner,
      repo: repo.name,
      issue_number: number,
      body,
      // a retry inside the call could comment twice; the activity's retry looks first
      request: { retries: 0 },
    });
    return { commentId: data.id, url: data.html_url };
  });
}

function edit(client: GitHubClient, repo: Repo, commentId: number, body: string): Promise<PublishedComment> {
  return calling('Editing the comment', async () => {
    const { data } = await client.octokit.issues.updateComment({
      owner: repo.owner,
      repo: repo.name,
      comment_id: commentId,
      body,
    });
    return { commentId: data.id, url: data.html_url };
  });
}
