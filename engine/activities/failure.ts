import { ApplicationFailure } from '@temporalio/activity';

/**
 * Errors cross the activity border by their `type`, which the workflows' retry policies know; class and stack stay
 * here. Secrets are never part of a message.
 */
export function toFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const type = typeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return ApplicationFailure.create({ message, type, nonRetryable: false, ...retryDelay(error) });
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

/** The same activities, each of whose errors has been classified. */
export function classified<T extends object>(activities: T): T {
  const wrapped = Object.entries(activities as Activities).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args);
      } catch (error) {
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}
