import { expect, test } from 'vitest';
import { progressInterval } from './progressInterval.ts';

test('a short run is shown live', () => {
  expect([0, 10_000, 50_000].map(progressInterval)).toEqual([2500, 2500, 2500]);
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
