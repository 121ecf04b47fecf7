import { expect, test } from 'vitest';
import { isGivenUp, sinceWhen } from './window.ts';

const MINUTE_MS = 60_000;
const unserved = { kind: 'shut', unserved: { hosts: ['web-2'], reason: 'no worker' } } as const;

test('a site that nobody serves is waited for, since it was found so first', () => {
  const since = sinceWhen(unserved, undefined, 5 * MINUTE_MS);
  expect(since).toBe(5 * MINUTE_MS);
  expect(sinceWhen(unserved, since, 9 * MINUTE_MS)).toBe(since);
  expect(isGivenUp(since, 24 * MINUTE_MS)).toBe(false);
  expect(isGivenUp(since, 25 * MINUTE_MS)).toBe(true);
});

test('one that is served again, or a window that shut again, ends that', () => {
  expect(sinceWhen({ kind: 'shut' }, 5 * MINUTE_MS, 9 * MINUTE_MS)).toBeUndefined();
  expect(isGivenUp(undefined, 9 * MINUTE_MS)).toBe(false);
});
