import { expect, test } from 'vitest';
import { askOnAfter } from './askOn.ts';

test('a question that nobody can see any more is noticed soon at first, and at last within the hour', () => {
  expect([1, 3, 4, 10, 11, 1_000].map(askOnAfter)).toEqual([
    30_000, 30_000, 300_000, 300_000, 3_600_000, 3_600_000,
  ]);
});
