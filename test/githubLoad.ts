import { GITHUB_LIMITS } from '../lab/github/rate-limits.ts';
import type { RecordedRequest } from '../lab/github/recorder.ts';

export const LIMITS = GITHUB_LIMITS;

export type Load = Readonly<Record<keyof typeof LIMITS, number>> & { readonly writes: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * The most that fell into any minute and any hour. Every request that is no reading counts as a write, more strictly than GitHub does;
 * getting a token is none.
 */
export function loadOf(requests: readonly RecordedRequest[]): Load {
  const at = requests.map((request) => Date.parse(request.at));
  const writes = requests
    .filter(({ method, path }) => method !== 'GET' && method !== 'HEAD' && !path.endsWith('/access_tokens'))
    .map((request) => Date.parse(request.at));
  return {
    writesAMinute: mostWithin(writes, MINUTE_MS),
    writesAnHour: mostWithin(writes, HOUR_MS),
    requestsAnHour: mostWithin(at, HOUR_MS),
    writes: writes.length,
  };
}

/** `times`: epoch ms, ascending. */
function mostWithin(times: readonly number[], ms: number): number {
  let most = 0;
  let first = 0;
  for (const [last, time] of times.entries()) {
    while (time - (times[first] ?? time) >= ms) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
