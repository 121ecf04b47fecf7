import { expect, test } from 'vitest';
import { progressInterval } from './progressInterval.ts';

test('a short run is shown live', () => {
  expect([0, 10_000, 50_000].map((ms) => progressInterval(ms))).toEqual([3000, 3000, 3000]);
});

/** Of an update: the check of the apply and that of the verification, or the comment instead. */
const WRITES = 2;
const REQUESTS = 7;
/** What a run does beside its updates: comparing, verifying, merging, its end; and the pull request's own checks and answers. */
const BESIDES = 30;

test('the first minute and every hour of a run stay within the limits of GitHub', () => {
  const times: number[] = [];
  for (let at = 0; at < 3 * 3_600_000; at += progressInterval(at)) times.push(at);
  const within = (from: number, ms: number) => times.filter((at) => at >= from && at < from + ms).length;
  const most = (ms: number) => Math.max(...times.map((from) => within(from, ms)));
  expect(most(60_000) * WRITES + BESIDES).toBeLessThanOrEqual(80);
  expect(most(3_600_000) * WRITES + BESIDES).toBeLessThanOrEqual(500);
  expect(most(3_600_000) * REQUESTS + 3 * BESIDES).toBeLessThanOrEqual(5_000);
});

test.each([1, 4, 20])('%i runs at the same time are updated no more often than one', (runs) => {
  for (const at of [0, 60_000, 600_000, 3_600_000])
    expect(progressInterval(at, runs) / runs).toBe(progressInterval(at));
});

test.each([
  [1, 26],
  [10, 73],
  [60, 130],
  [180, 250],
])('a run of %i minutes takes at most %i updates', (minutes, most) => {
  let updates = 0;
  for (let at = 0; at < minutes * 60_000; at += progressInterval(at)) updates += 1;
  expect(updates).toBeLessThanOrEqual(most);
});
