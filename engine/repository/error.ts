/**
 * What can go wrong with the infrastructure repository; callers switch on `type`.
 * Retryable: `repository-unreachable`, `git-timeout`, `git-ended`. All others need a person or another request.
 */
export type RepositoryErrorType =
  | 'repository-unreachable'
  | 'repository-not-found'
  | 'repository-denied'
  | 'commit-not-found'
  | 'too-large'
  | 'git-timeout'
  | 'git-ended'
  | 'push-rejected'
  | 'revert-conflict'
  | 'bad-argument'
  | 'git-failed';

const RETRYABLE: ReadonlySet<RepositoryErrorType> = new Set([
  'repository-unreachable',
  'git-timeout',
  'git-ended',
]);

export class RepositoryError extends Error {
  readonly type: RepositoryErrorType;
  readonly retryable: boolean;

  constructor(type: RepositoryErrorType, message: string) {
    super(message);
    this.name = 'RepositoryError';
    this.type = type;
    this.retryable = RETRYABLE.has(type);
  }
}

/** Git says the sort of failure only in words; with LC_ALL=C they are stable. First match wins. */
const WORDS: readonly (readonly [RegExp, RepositoryErrorType, string])[] = [
  [
    /not our ref|couldn't find remote ref|unadvertised object|not a tree object|bad object|Not a valid|unknown revision|bad revision|not something we can merge/i,
    'commit-not-found',
    'The commit or branch is not in the repository. Push it, or plan the newest head.',
  ],
  [
    /Authentication failed|could not read Username|returned error: (40[13]|451)|terminal prompts disabled/i,
    'repository-denied',
    'The repository refused the engine. Check that the GitHub App is installed there and may read and write contents.',
  ],
  [
    /returned error: 404|not found|does not appear to be a git repository|no such file or directory/i,
    'repository-not-found',
    'There is no such repository, or the engine may not see it. Check its name and the installation of the GitHub App.',
  ],
  [
    /\[rejected\]|\[remote rejected\]|failed to push/i,
    'push-rejected',
    'The repository refused the push. Check branch protection and whether the branch is there already.',
  ],
  [
    /could not resolve host|failed to connect|couldn't connect|connection|empty reply|timed out|returned error: (429|5\d\d)|early EOF|hung up|RPC failed|SSL|gnutls/i,
    'repository-unreachable',
    'The repository cannot be reached at the moment; the engine tries again.',
  ],
];

/** What `runGit` says of too much output. */
const TOO_MUCH = /^git printed more than/;

/** `secrets` never appear in the message. */
export function toRepositoryError(error: unknown, what: string, secrets: readonly string[]): RepositoryError {
  if (error instanceof RepositoryError) return error;
  const words = secrets.reduce(
    (text, secret) => text.replaceAll(secret, '[secret]'),
    error instanceof Error ? error.message : String(error),
  );
  const detail = `(git ${what}: ${words.trim().slice(0, 1_000)})`;
  if (TOO_MUCH.test(words)) {
    return new RepositoryError(
      'too-large',
      `What git says of this is more than the engine reads. Make several smaller changes of it. ${detail}`,
    );
  }
  if (/Abort signal|block timeout/.test(words)) {
    return new RepositoryError(
      'git-timeout',
      `Git took too long and was stopped; the engine tries again. ${detail}`,
    );
  }
  const found = WORDS.find(([pattern]) => pattern.test(words));
  return found === undefined
    ? new RepositoryError('git-failed', `Git failed. ${detail}`)
    : new RepositoryError(found[1], `${found[2]} ${detail}`);
}
