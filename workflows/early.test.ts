import { expect, test } from 'vitest';
import { leastWait } from './early.ts';

test('a window that is shut again and again when it was to open is asked about less and less', () => {
  expect([0, 1, 2, 3].map(leastWait)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(leastWait(2_000)).toBe(30 * 60_000);
});

test('a clock that is two hours wrong costs a few turns, and makes nobody wait much longer than that', () => {
  const waits = Array.from({ length: 20 }, (_, early) => leastWait(early));
  const turns = waits.findIndex((_, n) => waits.slice(0, n).reduce((sum, ms) => sum + ms, 0) > 7_200_000);
  expect(turns).toBeLessThan(16);
});
