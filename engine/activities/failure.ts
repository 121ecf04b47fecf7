import { ApplicationFailure, Context } from '@temporalio/activity';

/**
 * Errors cross the activity border by their `type`, which the workflows' retry policies know; class and stack stay
 * here. Secrets are never part of a message.
 */
export function toFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const type = patiently(typeOf(error));
  const message = error instanceof Error ? error.message : String(error);
  return ApplicationFailure.create({ message, type, nonRetryable: false, ...retryDelay(error) });
}

/** GitHub answers 404 for a moment for what was made just now; only then is it believed. Tries. */
const NOT_FOUND_TRIES = 4;
/** Git's servers lag behind, and an installation can be about to change: a minute of tries. */
const GIT_LOST_TRIES = 8;

/** What git says of a repository that is not there, or not for the engine. */
const GIT_LOST = new Set(['repository-not-found', 'repository-denied']);

function patiently(type: string): string {
  const { attempt } = Context.current().info;
  if (GIT_LOST.has(type) && attempt >= GIT_LOST_TRIES) return 'github-not-found';
  return type === 'github-not-found' && attempt < NOT_FOUND_TRIES ? 'github-not-found-yet' : type;
}

export function permanent(message: string): ApplicationFailure {
  return ApplicationFailure.create({ message, type: 'permanent', nonRetryable: true });
}

function typeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'type' in error && typeof error.type === 'string'
    ? error.type
    : 'unexpected';
}

/** GitHub says how long to wait. */
function retryDelay(error: unknown): { readonly nextRetryDelay?: number } {
  const seconds =
    typeof error === 'object' && error !== null && 'retryAfterSeconds' in error
      ? error.retryAfterSeconds
      : undefined;
  return typeof seconds === 'number' ? { nextRetryDelay: seconds * 1000 } : {};
}

type Activities = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/** How often a running activity says that it lives; the workflows expect it within 15 s. */
const HEARTBEAT_MS = 4_000;

/**
 * The same activities as Temporal calls them: errors are classified, and each heartbeats for as long as it runs, so
 * that the death of a worker is noticed in seconds, whatever the activity's own time limit is.
 */
export function bordered<T extends object>(activities: T): T {
  const wrapped = Object.entries(activities as Activities).map(([name, activity]) => [
    name,
    (...args: never[]) => living(() => activity(...args)),
  ]);
  return Object.fromEntries(wrapped) as T;
}

async function living<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work();
  } catch (error) {
    throw toFailure(error);
  } finally {
    clearInterval(timer);
  }
}
