import { describe, expect, test } from 'vitest';
import { appLimits, createBudget, installationLimits, type Kind } from './budget.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DEFAULT = installationLimits(75);

/** Sends as soon as it may, each request for `tookMs`, until `end`; when each began. */
function hurried(limits: ReturnType<typeof installationLimits>, kind: Kind, end: number, tookMs = 0) {
  const budget = createBudget(limits);
  const began: number[] = [];
  for (let now = 0; now < end; ) {
    const waitMs = budget.waitMs(kind, now);
    if (waitMs > 0) {
      now += waitMs;
      continue;
    }
    budget.begin(kind);
    began.push(now);
    now += tookMs;
    budget.end(kind, now);
  }
  return began;
}

function mostWithin(times: readonly number[], ms: number): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));
}

describe('an installation that always has something to say', () => {
  test.each([
    ['write', MINUTE, 75],
    ['write', HOUR, 450],
    ['read', HOUR, 4_500],
  ] as const)('%s: in any %i ms at most %i', (kind, ms, most) => {
    const began = hurried(DEFAULT, kind, 2.5 * HOUR, 20);
    expect(mostWithin(began, ms)).toBe(most);
    expect(began.length).toBeGreaterThan(most);
  });

  test('writes are requests, too', () => {
    const budget = createBudget({ writes: [{ most: 10, ms: MINUTE }], requests: [{ most: 3, ms: HOUR }] });
    for (const kind of ['write', 'read', 'write'] as const) budget.begin(kind);
    expect(budget.waitMs('read', 0)).toBeGreaterThan(0);
    expect(budget.waitMs('write', 0)).toBeGreaterThan(0);
  });

  test('what one pull request needs goes out at once, several times over', () => {
    expect(hurried(DEFAULT, 'write', MINUTE).filter((at) => at === 0)).toHaveLength(75);
  });
});

test('workers that share an installation stay within its limits together', () => {
  const shares = [0, 1, 2].flatMap(() => hurried(installationLimits(25), 'write', 2 * HOUR, 20));
  expect(mostWithin(shares, MINUTE)).toBe(75);
  expect(mostWithin(shares, HOUR)).toBe(450);
});

test('a request counts until a minute after its answer, as GitHub may have seen it only then', () => {
  const budget = createBudget(installationLimits(2));
  budget.begin('write');
  budget.begin('write');
  expect(budget.waitMs('write', MINUTE)).toBe(MINUTE);
  budget.end('write', 50_000);
  budget.end('write', 70_000);
  expect(budget.waitMs('write', 100_000)).toBe(10_000);
  expect(budget.waitMs('write', 109_999)).toBe(1);
  expect(budget.waitMs('write', 110_000)).toBe(0);
  expect(budget.waitMs('write', 110_000, 1)).toBe(20_000);
});

test('what people can do without leaves a third of a minute and of an hour to the rest', () => {
  const budget = createBudget(DEFAULT);
  const send = (now: number) => {
    budget.begin('write');
    budget.end('write', now);
  };
  for (let n = 0; n < 50; n++) {
    expect(budget.spare(0)).toBe(true);
    send(0);
  }
  expect(budget.spare(0)).toBe(false);
  expect(budget.waitMs('write', 0)).toBe(0);
  expect(budget.spare(MINUTE)).toBe(true);
  for (let minute = 1; minute <= 5; minute++) for (let n = 0; n < 50; n++) send(minute * MINUTE);
  expect(budget.spare(10 * MINUTE)).toBe(false);
  expect(budget.waitMs('write', 10 * MINUTE, 74)).toBe(0);
  expect(budget.spare(HOUR + MINUTE)).toBe(true);
});

test('readings use up what people can do without as well', () => {
  const budget = createBudget(DEFAULT);
  for (let n = 0; n < 3_000; n++) budget.begin('read');
  expect(budget.spare(0)).toBe(false);
});

test('the App itself asks for webhooks again without an hourly bound, below 180 a minute', () => {
  const began = hurried(appLimits(75), 'write', 20 * MINUTE);
  expect(mostWithin(began, MINUTE)).toBe(150);
  expect(mostWithin(began, HOUR)).toBe(3_000);
});
