import { createBudget, type Kind, type Limits } from './budget.ts';
import { GitHubError, limitedForSeconds } from './errors.ts';

/** Requests of one installation that run at the same time; GitHub's bound is 100. */
const CONCURRENT_REQUESTS = 20;
/** Until the engine's own bound lets a request through, it waits here for so long; longer is left to Temporal. */
const OWN_WAIT_MAX_MS = 5_000;
/** What GitHub asks for, if it is no longer than this, is waited for here, once. */
const PAUSE_WAIT_MAX_MS = 2_000;
/** It may be asked again sooner than the whole wait: settings change, and another process may have the budget then. Seconds. */
const ASK_AGAIN_MAX_SECONDS = 60;

/** `token`: to get one creates nothing, and happens within another request. */
export type Sort = Kind | 'token';

/** One clock for all of it that nobody sets. */
export interface Clock {
  /** ms */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export const MONOTONIC: Clock = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** What other processes have heard from GitHub, and hear from this one. */
export interface Pauses {
  readonly tell: (ms: number) => Promise<void>;
  /** ms */
  readonly left: () => Promise<number>;
}

/** The others are asked so often. What GitHub has told them counts here as much later at most. ms. */
const ASK_OTHERS_MS = 200;

/** All that one installation sends passes through one of these. */
export interface Throttle {
  /**
   * Sends in its turn. An answer that says that GitHub limits stops everything for as long as it says. Throws `GitHubError`
   * of the type `github-rate-limited` for what is not sent at all now.
   */
  readonly send: <T>(sort: Sort, request: () => Promise<T>) => Promise<T>;
  /** May what people can do without be sent now? */
  readonly spare: () => boolean;
}

export function createThrottle(
  limits: Limits,
  onLimited: (seconds: number) => void,
  clock: Clock = MONOTONIC,
  pauses?: Pauses,
): Throttle {
  const budget = createBudget(limits);
  const turns = { read: createTurns(), write: createTurns() };
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let active = 0;
  /** Until one of those that are active ends. */
  const asleep: (() => void)[] = [];

  let othersAskedAt = Number.NEGATIVE_INFINITY;
  /** Whoever comes meanwhile waits for it too. */
  let othersAnswered: Promise<void> = Promise.resolve();
  /** Without an answer it is sent: GitHub says the same, and each process hears that by itself. */
  const hearOthers = async (others: Pauses): Promise<void> => {
    if (clock.now() - othersAskedAt >= ASK_OTHERS_MS) {
      othersAskedAt = clock.now();
      othersAnswered = others
        .left()
        .catch(() => 0)
        .then((leftMs) => {
          pausedUntil = Math.max(pausedUntil, clock.now() + leftMs);
        });
    }
    await othersAnswered;
  };
  const pauseFor = async (ms: number): Promise<void> => {
    pausedUntil = Math.max(pausedUntil, clock.now() + ms);
    await pauses?.tell(ms).catch(() => undefined);
  };
  const unpaused = async (): Promise<void> => {
    if (pauses !== undefined) await hearOthers(pauses);
    for (;;) {
      const leftMs = pausedUntil - clock.now();
      if (leftMs <= 0) return;
      if (leftMs > PAUSE_WAIT_MAX_MS) throw refusedFor('GitHub limits the rate of requests', leftMs);
      await clock.sleep(leftMs);
    }
  };
  const begun = async (kind: Kind): Promise<void> => {
    for (;;) {
      await unpaused();
      const leftMs = budget.waitMs(kind, clock.now());
      if (leftMs <= 0 && active < CONCURRENT_REQUESTS) break;
      await (leftMs > 0 ? clock.sleep(leftMs) : new Promise<void>((resolve) => asleep.push(resolve)));
    }
    active += 1;
    budget.begin(kind);
  };
  const ended = (kind: Kind): void => {
    active -= 1;
    budget.end(kind, clock.now());
    for (const wake of asleep.splice(0)) wake();
  };
  const counted = async <T>(kind: Kind, request: () => Promise<T>): Promise<T> => {
    const leftMs = budget.waitMs(kind, clock.now(), turns[kind].waiting());
    if (leftMs > OWN_WAIT_MAX_MS) throw refusedFor(OWN_BOUND, leftMs);
    await turns[kind].take(() => begun(kind));
    try {
      return await request();
    } finally {
      ended(kind);
    }
  };
  const once = async <T>(sort: Sort, request: () => Promise<T>): Promise<T> => {
    await unpaused();
    return sort === 'token' ? request() : counted(sort, request);
  };
  return {
    spare: () => pausedUntil <= clock.now() && budget.spare(clock.now()),
    send: async (sort, request) => {
      for (let tries = 1; ; tries++) {
        try {
          return await once(sort, request);
        } catch (error) {
          const seconds = error instanceof GitHubError ? undefined : limitedForSeconds(error);
          if (seconds === undefined) throw error;
          await pauseFor(seconds * 1000);
          onLimited(seconds);
          if (tries > 1 || seconds * 1000 > PAUSE_WAIT_MAX_MS) throw error;
        }
      }
    },
  };
}

const OWN_BOUND = 'This engine has sent to GitHub as much as it may for now (DOAAS_GITHUB_WRITES_PER_MINUTE)';

function refusedFor(why: string, ms: number): GitHubError {
  const retryAfterSeconds = Math.min(ASK_AGAIN_MAX_SECONDS, Math.ceil(ms / 1000));
  return new GitHubError('github-rate-limited', `${why}; trying again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });
}

/** First come, first served. */
interface Turns {
  readonly waiting: () => number;
  readonly take: (turn: () => Promise<void>) => Promise<void>;
}

function createTurns(): Turns {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    waiting: () => waiting,
    take: async (turn) => {
      waiting += 1;
      const mine = last.then(turn);
      last = mine.catch(() => undefined);
      try {
        await mine;
      } finally {
        waiting -= 1;
      }
    },
  };
}
