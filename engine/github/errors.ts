/** What went wrong with GitHub. Activities decide by `type`, never by message or class. */
export type GitHubErrorType =
  | 'github-unavailable'
  | 'github-rate-limited'
  | 'github-unauthorized'
  | 'github-not-found'
  | 'github-conflict'
  | 'github-refused';

export class GitHubError extends Error {
  readonly type: GitHubErrorType;
  readonly retryable: boolean;
  /** Seconds that GitHub asks to wait before the next try; only of `github-rate-limited`. */
  readonly retryAfterSeconds: number | undefined;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;

  constructor(
    type: GitHubErrorType,
    message: string,
    detail: { status?: number; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.type = type;
    this.retryable = type === 'github-unavailable' || type === 'github-rate-limited';
    this.retryAfterSeconds = detail.retryAfterSeconds;
    this.status = detail.status;
  }
}

/** Used when GitHub limits without saying for how long (its docs ask for at least a minute). Seconds. */
const DEFAULT_RATE_LIMIT_WAIT_SECONDS = 60;
/** GitHub's messages are a line; anything longer is not worth keeping. Characters. */
const MESSAGE_MAX = 500;

/** Runs one call; whatever it throws becomes a `GitHubError` whose message begins with what was being done. */
export async function calling<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof GitHubError ? error : toGitHubError(what, error);
  }
}

/**
 * A name that was given up by a rename, a transfer or a deletion can be taken by anybody who may make repositories there. Throws
 * `GitHubError` as if there were nothing.
 */
export function expectSame(
  repo: { readonly owner: string; readonly name: string; readonly id?: number },
  found: number,
): void {
  if (repo.id === undefined || repo.id === found) return;
  const message = `${repo.owner}/${repo.name} is another repository now (id ${found}) than the one that is meant (id ${repo.id}). Nothing was done with it.`;
  throw new GitHubError('github-not-found', message, { status: 404 });
}

/**
 * Whoever still asks under the name of before may ask through the installation of before, which may do nothing there any more: no
 * refusal is believed then. Throws `GitHubError` as if there were nothing, which is tried again until the new name is known.
 */
export function expectNamed(repo: { readonly owner: string; readonly name: string }, found: string): void {
  const asked = `${repo.owner}/${repo.name}`;
  if (asked.toLowerCase() === found.toLowerCase()) return;
  throw new GitHubError(
    'github-not-found',
    `${asked} is called ${found} now, and the engine has not been told.`,
    {
      status: 404,
    },
  );
}

/** For what people can do without, such as a reaction: GitHub will not have it, however often it is asked. */
export function isRefused(error: unknown): boolean {
  return error instanceof GitHubError && ['github-refused', 'github-not-found'].includes(error.type);
}

/** Another token may be good for it: this one has ended, or was made with other permissions. Of octokit's errors. */
export function isForToken(error: unknown): boolean {
  const status = statusOf(error);
  return status === 401 || (status === 403 && /not accessible by integration/i.test(messageOf(error)));
}

/** Archived, suspended, blocked, not there for the App, or a permission is missing: people can change that at any time. */
export function isShutOut(error: unknown): boolean {
  return error instanceof GitHubError && isRefused(error) && [403, 404, 451].includes(error.status ?? 0);
}

export function toGitHubError(what: string, error: unknown): GitHubError {
  const status = statusOf(error);
  const message = messageOf(error);
  // octokit gives 500 to an error of the network, which has no response
  if (status === undefined || !hasResponse(error)) {
    return new GitHubError('github-unavailable', `${what}: GitHub did not answer (${message}).`);
  }
  const retryAfterSeconds = limitedForSeconds(error);
  if (retryAfterSeconds !== undefined) {
    const text = `${what}: GitHub's rate limit is used up; trying again in ${retryAfterSeconds} s.`;
    return new GitHubError('github-rate-limited', text, { status, retryAfterSeconds });
  }
  return new GitHubError(typeOf(status), `${what}: ${sentence(status, message)}`, { status });
}

/** How long GitHub wants nothing more, if that is what its answer says. */
export function limitedForSeconds(error: unknown): number | undefined {
  const status = statusOf(error);
  if (status === undefined || !hasResponse(error)) return undefined;
  const headers = headersOf(error);
  return isRateLimit(status, messageOf(error), headers) ? waitSeconds(headers, nowOf(headers)) : undefined;
}

function typeOf(status: number): GitHubErrorType {
  if (status >= 500 || status === 408) return 'github-unavailable';
  if (status === 401) return 'github-unauthorized';
  if (status === 404 || status === 410) return 'github-not-found';
  return status === 409 ? 'github-conflict' : 'github-refused';
}

function sentence(status: number, message: string): string {
  if (status >= 500) return `GitHub failed with ${status} (${message}).`;
  if (status === 401) {
    return `GitHub does not accept the App's key (${message}). Check GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY and this machine's clock.`;
  }
  if (status === 404) {
    return 'GitHub answers 404: it is not there, or the App is not installed on this repository or lacks the permission (docs/github-app.md).';
  }
  if (status === 403 && /was archived/i.test(message))
    return 'the repository is archived, so GitHub takes nothing for it. Unarchive it to go on.';
  if (status === 403 && /has been suspended/i.test(message))
    return "the App's installation is suspended. Whoever did that can take it back under Settings > GitHub Apps > Configure.";
  if (status === 451)
    return `GitHub has blocked the repository (451: ${message}). Its owner must settle that with GitHub.`;
  if (status === 403)
    return `GitHub refuses with 403 (${message}). Check the App's permissions (docs/github-app.md).`;
  return `GitHub answers ${status}: ${message}.`;
}

type Headers = Readonly<Record<string, unknown>>;

function isRateLimit(status: number, message: string, headers: Headers): boolean {
  if (status === 429) return true;
  return (
    status === 403 &&
    (headers['x-ratelimit-remaining'] === '0' || 'retry-after' in headers || /rate limit/i.test(message))
  );
}

function waitSeconds(headers: Headers, nowMs: number): number {
  const after = Number(headers['retry-after']);
  if (Number.isFinite(after) && after > 0) return Math.ceil(after);
  const reset = Number(headers['x-ratelimit-reset']);
  const untilReset = Math.ceil(reset - nowMs / 1000);
  const exhausted = headers['x-ratelimit-remaining'] === '0' && untilReset > 0;
  return exhausted ? untilReset : DEFAULT_RATE_LIMIT_WAIT_SECONDS;
}

/** By GitHub's own clock, as the times in its headers are. Epoch ms. */
function nowOf({ date }: Headers): number {
  const told = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isFinite(told) ? told : Date.now();
}

function statusOf(error: unknown): number | undefined {
  return isRecord(error) && typeof error.status === 'number' ? error.status : undefined;
}

function hasResponse(error: unknown): boolean {
  return isRecord(error) && isRecord(error.response);
}

function headersOf(error: unknown): Headers {
  const response = isRecord(error) ? error.response : undefined;
  const headers = isRecord(response) ? response.headers : undefined;
  return isRecord(headers) ? headers : {};
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const reason =
    isRecord(error) && isRecord(error.cause) && 'code' in error.cause ? ` ${error.cause.code}` : '';
  return `${text.replace(/ - https?:\S+$/, '')}${reason}`.slice(0, MESSAGE_MAX);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
