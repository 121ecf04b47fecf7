import { expect, test } from 'vitest';
import { createStrangers, STRANGERS_ANSWERED_MAX } from './strangers.ts';

test('so many comments of strangers are answered in an hour, each of them as often as it is looked at', () => {
  let now = 0;
  const strangers = createStrangers(() => now);
  const admit = (comment: number, installation = 1) => strangers.admit(installation, comment, true);
  const all = Array.from({ length: STRANGERS_ANSWERED_MAX }, (_, n) => n);
  expect(all.every((n) => admit(n))).toBe(true);
  expect(admit(100)).toBe(false);
  expect(admit(0)).toBe(true);
  expect(admit(100, 2)).toBe(true);
  now = 3_600_000;
  expect(admit(100)).toBe(true);
});

test('none is answered anew while the budget is kept for checks, but what was begun is', () => {
  const strangers = createStrangers(() => 0);
  expect(strangers.admit(1, 7, false)).toBe(false);
  expect(strangers.admit(1, 7, true)).toBe(true);
  expect(strangers.admit(1, 7, false)).toBe(true);
});
