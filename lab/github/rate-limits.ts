import { type FaultResponse, primaryRateLimit, secondaryRateLimit } from './faults.ts';

/** What GitHub allows one installation: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
export interface RateLimits {
  /** Every request that is no reading counts as one that creates content, more strictly than GitHub does. */
  readonly writesAMinute: number;
  readonly writesAnHour: number;
  readonly requestsAnHour: number;
}

export const GITHUB_LIMITS = {
  writesAMinute: 80,
  writesAnHour: 500,
  requestsAnHour: 5_000,
} as const satisfies RateLimits;

/** What GitHub's answers to a secondary limit ask for where they name a time. Seconds. */
const SECONDARY_SECONDS = 60;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export interface RateLimiter {
  /** From now on; undefined ends it. Nothing that came before counts. */
  readonly enforce: (limits: RateLimits | undefined) => void;
  /** Counts one request, and gives the answer of one that is over a limit. */
  readonly take: (method: string, path: string, nowMs: number) => FaultResponse | undefined;
}

/** Without limits until somebody asks for them. */
export function createRateLimiter(): RateLimiter {
  let limits: RateLimits | undefined;
  let requests: number[] = [];
  let writes: number[] = [];
  return {
    enforce: (next) => {
      limits = next;
      requests = [];
      writes = [];
    },
    take: (method, path, nowMs) => {
      if (limits === undefined || isOfTheApp(path)) return undefined;
      requests = [...since(requests, nowMs - HOUR_MS), nowMs];
      if (requests.length > limits.requestsAnHour) {
        const first = requests[requests.length - limits.requestsAnHour - 1] ?? nowMs;
        return primaryRateLimit(Math.ceil((first + HOUR_MS) / 1000));
      }
      if (method === 'GET' || method === 'HEAD') return undefined;
      writes = [...since(writes, nowMs - HOUR_MS), nowMs];
      const inMinute = since(writes, nowMs - MINUTE_MS).length;
      const over = writes.length > limits.writesAnHour || inMinute > limits.writesAMinute;
      return over ? secondaryRateLimit(SECONDARY_SECONDS) : undefined;
    },
  };
}

/** With the App's own proof, not in the name of an installation. */
function isOfTheApp(path: string): boolean {
  return /^\/app(\/|\?|$)/.test(path) || /\/installation$/.test(path);
}

function since(times: readonly number[], from: number): number[] {
  return times.filter((at) => at > from);
}
