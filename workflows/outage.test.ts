import { msToNumber } from '@temporalio/common/lib/time.js';
import { describe, expect, test } from 'vitest';
import { POLICIES } from './activities.ts';

/** An hour of GitHub, and then some. Milliseconds. */
const OUTAGE_MS = 60 * 60_000;

/** What an hour without GitHub, git's servers, Temporal or a full disk gives; none of them may end anything. */
const PASSING = [
  'github-unavailable',
  'github-rate-limited',
  'github-unauthorized',
  'github-not-found-yet',
  'repository-unreachable',
  'git-timeout',
  'git-ended',
  'store-full',
  'store-locked',
  'store-unavailable',
  'unexpected',
];

interface Policy {
  readonly scheduleToCloseTimeout?: string;
  readonly retry: {
    readonly maximumAttempts?: number;
    readonly maximumInterval: string;
    readonly nonRetryableErrorTypes: readonly string[];
  };
}

/** Its failure is caught and noted: where a run is between its beginning and its end, and what the next sweep or reading does again. */
const NOT_WAITED_FOR = ['passing', 'bounded', 'publishing'];

describe.each(Object.entries(POLICIES as Record<string, Policy>))('%s', (name, policy) => {
  const { scheduleToCloseTimeout: bound, retry } = policy;

  test('outlasts an hour, unless nothing waits for it', () => {
    expect(retry.maximumAttempts).toBeUndefined();
    const endless = bound === undefined || msToNumber(bound as '1 hour') > 2 * OUTAGE_MS;
    expect(endless).toBe(!NOT_WAITED_FOR.includes(name));
  });

  test('ends for nothing that passes, and is back soon after it has', () => {
    const ending = retry.nonRetryableErrorTypes.filter((type) => PASSING.includes(type));
    expect(ending).toEqual(name === 'passing' ? ['github-not-found-yet'] : []);
    expect(msToNumber(retry.maximumInterval as '1 hour')).toBeLessThanOrEqual(30_000);
  });

  test('ends for what is too large for the store, which no retry makes smaller', () => {
    expect(retry.nonRetryableErrorTypes).toContain('store-bound');
  });
});
