import { expect, test } from 'vitest';
import { createPatience } from './patience.ts';

test('what is not there is waited for until its time is over, and then from the start again', () => {
  let now = 1_000;
  const patience = createPatience(() => now);
  expect(patience.waits('a', 20)).toBe(true);
  now += 19_999;
  expect(patience.waits('a', 20)).toBe(true);
  expect(patience.waits('b', 20)).toBe(true);
  now += 1;
  expect(patience.waits('a', 20)).toBe(false);
  expect(patience.waits('b', 20)).toBe(true);
  expect(patience.waits('a', 20)).toBe(true);
});

test('what came back has all of its time again', () => {
  let now = 0;
  const patience = createPatience(() => now);
  expect(patience.waits('a', 20)).toBe(true);
  patience.over('a');
  now += 30_000;
  expect(patience.waits('a', 20)).toBe(true);
});
