import { Context } from '@temporalio/activity';
import { limiter } from '../limit.ts';

/**
 * Short activities at the same time. They are bound by this process's one processor, so more of them finish no
 * sooner; but each that is ready to go on stands before a webhook that waits for its answer.
 */
const AT_ONCE = 4;

const places = limiter(AT_ONCE);

type Activities = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/**
 * The same activities, a few of which run at one time; `but` names those that wait for hosts, which wait for nobody. The wait
 * counts towards an activity's time limit: one that was given up meanwhile is in Temporal's queue again, and takes no place.
 */
export function inTurns<T extends object>(
  activities: T,
  but: readonly (keyof T)[] = [],
  signalOf: () => AbortSignal = () => Context.current().cancellationSignal,
): T {
  const wrapped = Object.entries(activities as Activities).map(([name, activity]) => [
    name,
    but.some((free) => free === name)
      ? activity
      : (...args: never[]) => inTurn(() => activity(...args), signalOf()),
  ]);
  return Object.fromEntries(wrapped) as T;
}

function inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return places(async () => {
    signal.throwIfAborted();
    return work();
  });
}
