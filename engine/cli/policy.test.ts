import { expect, test } from 'vitest';
import { ageOf } from './policy.ts';

test.each([
  [-5, '0 seconds ago'],
  [999, '0 seconds ago'],
  [1_000, '1 second ago'],
  [59_999, '59 seconds ago'],
  [60_000, '1 minute ago'],
  [3 * 3_600_000 + 5, '3 hours ago'],
  [49 * 3_600_000, '2 days ago'],
])('a verdict of %d ms is from %s', (ms, said) => {
  expect(ageOf(ms)).toBe(said);
});
