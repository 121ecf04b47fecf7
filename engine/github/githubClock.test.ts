import { afterEach, expect, test, vi } from 'vitest';
import { githubClock } from './githubClock.ts';

afterEach(() => {
  vi.useRealTimers();
});

test("is this machine's clock, where GitHub says nothing else", () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_795_000_000_900 });
  const clock = githubClock();
  expect(clock.now().getTime()).toBe(1_795_000_000_900);
  clock.hear('not a date');
  clock.hear(new Date().toUTCString());
  expect(clock.now().getTime()).toBe(1_795_000_000_900);
  expect(clock.timeOf(1_795_000_000_123)).toBe(1_795_000_000_123);
});

test.each([7200, -7200, 60])(
  'goes on by the one that nobody sets, when this machine is set by %d s',
  (seconds) => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_795_000_000_000 });
    const clock = githubClock();
    clock.hear(new Date().toUTCString());
    vi.setSystemTime(Date.now() + seconds * 1000);
    expect(Math.abs(clock.now().getTime() - 1_795_000_000_000)).toBeLessThan(2_000);
    // what came a minute ago, as this machine has it
    const then = clock.timeOf(Date.now() - 60_000);
    expect(Math.abs(then - (1_795_000_000_000 - 60_000))).toBeLessThan(2_000);
  },
);
