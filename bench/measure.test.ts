import { expect, it } from 'vitest';
import { median, percentile, rounded } from './measure.ts';

it('gives the middle, and the nearest rank', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile([7], 0.5)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
  expect(rounded(1234.5)).toBe(1230);
});
