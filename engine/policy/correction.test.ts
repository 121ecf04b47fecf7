import { expect, test } from 'vitest';
import type { PolicySpec } from '../spec/types.generated.ts';
import { judgeCorrection } from './correction.ts';
import { change, target } from './testing.ts';

/** A Thursday. */
const NOW = Date.parse('2026-01-01T12:00:00Z');
const asked = { targets: [target('web-1'), target('web-2')], paths: ['web.yaml'], now: NOW };
const rule = (given: NonNullable<PolicySpec['rules']>[string]): PolicySpec => ({ rules: { web: given } });

test('without a policy, and whatever approvals and checks it asks for, a correction may be made', () => {
  expect(judgeCorrection(undefined, asked)).toEqual({ missing: [], windows: [] });
  expect(judgeCorrection(rule({ approvals: [{ count: 2 }], checks: ['ci'] }), asked)).toEqual({
    missing: [],
    windows: [],
  });
});

test('a shut window keeps it, and says when it opens; an open one does not', () => {
  const monday = { timeZone: 'UTC', days: ['mon' as const] };
  expect(judgeCorrection(rule({ window: monday }), asked)).toEqual({
    missing: ['the change window mon UTC is shut (rule web)'],
    opensAt: Date.parse('2026-01-05T00:00:00Z'),
    windows: [monday],
  });
  expect(judgeCorrection(rule({ window: { timeZone: 'UTC', days: ['thu'] } }), asked).missing).toEqual([]);
});

test("a window of the document's own must be open beside those of the policy, and what never is both is said", () => {
  const saturday = { timeZone: 'UTC', days: ['sat' as const], hours: { from: '02:00', to: '04:00' } };
  expect(judgeCorrection(undefined, asked, [saturday])).toEqual({
    missing: ["the document's window sat 02:00-04:00 UTC is shut"],
    opensAt: Date.parse('2026-01-03T02:00:00Z'),
    windows: [saturday],
  });
  const inside = { ...asked, now: Date.parse('2026-01-03T03:59:59Z') };
  expect(judgeCorrection(undefined, inside, [saturday])).toEqual({ missing: [], windows: [saturday] });
  const weekdays = { timeZone: 'UTC', days: ['mon' as const] };
  expect(judgeCorrection(rule({ window: weekdays }), inside, [saturday])).toEqual({
    missing: [
      'the change window mon UTC is shut (rule web)',
      'there is no moment within 400 days at which all of them are open',
    ],
    windows: [saturday, weekdays],
  });
});

test('a window of other servers, or of other files, does not matter', () => {
  const window = { timeZone: 'UTC', days: ['mon' as const] };
  expect(judgeCorrection(rule({ match: { labels: { role: 'db' } }, window }), asked).missing).toEqual([]);
  expect(judgeCorrection(rule({ match: { paths: ['db/**'] }, window }), asked).missing).toEqual([]);
  expect(judgeCorrection(rule({ match: { paths: ['web.yaml'] }, window }), asked).missing).toHaveLength(1);
});

test('more servers than a run may change, or more packages than it may remove, are left to people', () => {
  expect(judgeCorrection(rule({ limits: { hosts: 1 } }), asked).missing).toEqual([
    'the policy allows 1 servers a run, and it is 2 (rule web)',
  ]);
  expect(judgeCorrection(rule({ limits: { hosts: 2 } }), asked).missing).toEqual([]);
  const removes = change().targets.map((each) => ({
    ...each,
    steps: each.steps.map((step) => ({ ...step, params: { removes: ['a', 'b'] } })),
  }));
  expect(
    judgeCorrection(rule({ limits: { packagesRemoved: 1 } }), { ...asked, targets: removes }).missing,
  ).toHaveLength(1);
});
