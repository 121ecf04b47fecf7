import { expect, test } from 'vitest';
import type { PlanOutcome } from '../engine/activities/types.ts';
import { FRESH, type PullState } from './pullState.ts';
import { type Replan, replanAfter, replansAt } from './replan.ts';

const AWAY: PlanOutcome = { kind: 'failed', reason: 'web-1 cannot be reached', away: true };
const DAY_MS = 24 * 3600 * 1000;

test('servers that were away are looked at again, soon at first, for a day', () => {
  const pauses: number[] = [];
  let now = 0;
  let replan: Replan | undefined = replanAfter(undefined, AWAY, 'a', now);
  while (replan !== undefined) {
    pauses.push(replan.at - now);
    now = replan.at;
    replan = replanAfter(replan, AWAY, 'a', now);
  }
  expect(pauses.slice(0, 5)).toEqual([15_000, 15_000, 15_000, 15_000, 60_000]);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  expect(now).toBeLessThanOrEqual(DAY_MS);
  expect(now).toBeGreaterThan(DAY_MS - 3600 * 1000);
  // three writes each, of the 450 in an hour that all pull requests share
  expect(pauses.length).toBeLessThan(70);
});

test('another head begins anew', () => {
  const before = { headSha: 'a', failed: 30, since: 0, at: 1 };
  expect(replanAfter(before, AWAY, 'b', DAY_MS)).toEqual({
    headSha: 'b',
    failed: 1,
    since: DAY_MS,
    at: DAY_MS + 15_000,
  });
});

test.each<[string, PlanOutcome]>([
  ['a finding', { kind: 'failed', reason: 'another host key' }],
  ['nothing to do', { kind: 'nothing-to-do' }],
])('what time does not mend is not tried again: %s', (_, outcome) => {
  expect(replanAfter({ headSha: 'a', failed: 1, since: 0, at: 1 }, outcome, 'a', 2)).toBeUndefined();
});

test('of an open pull request only, at the head that failed, while nothing runs', () => {
  const snapshot = { headSha: 'a', state: 'open' } as PullState['snapshot'];
  const waits: PullState = { ...FRESH, snapshot, replan: { headSha: 'a', failed: 1, since: 0, at: 7 } };
  expect(replansAt(waits)).toBe(7);
  expect(replansAt(FRESH)).toBeUndefined();
  expect(
    replansAt({ ...waits, snapshot: { ...snapshot, state: 'closed' } as PullState['snapshot'] }),
  ).toBeUndefined();
  expect(
    replansAt({ ...waits, snapshot: { ...snapshot, headSha: 'b' } as PullState['snapshot'] }),
  ).toBeUndefined();
  expect(replansAt({ ...waits, running: {} as PullState['running'] })).toBeUndefined();
});
