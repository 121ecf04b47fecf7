import { expect, it } from 'vitest';
import type { PlanRef, PullSnapshot, Request } from '../engine/activities/types.ts';
import { applicable } from './pullApply.ts';
import { FRESH, isNews, isOver, type PullState } from './pullState.ts';

const snapshot: PullSnapshot = {
  headSha: 'one',
  headRef: 'b',
  baseSha: 'base',
  baseRef: 'main',
  author: 'anna',
  draft: false,
  fork: false,
  state: 'open',
  mergeSha: undefined,
};
const plan: PlanRef = {
  digest: 'd',
  headSha: 'one',
  baseSha: 'base',
  hosts: [],
  waves: [],
  shownAt: '2026-01-01T00:00:05.700Z',
};
const request: Request = {
  command: 'apply',
  actor: 'anna',
  at: '2026-01-01T00:00:05Z',
  commentId: 1,
  headSha: undefined,
};
const planned: PullState = { ...FRESH, snapshot, plan };
const merged: PullState = { ...planned, snapshot: { ...snapshot, state: 'merged' } };
const fork: PullState = { ...planned, snapshot: { ...snapshot, fork: true } };

it.each([
  ['in the second in which the plan was shown', planned, request, { plan }],
  ['before the plan was shown', planned, { ...request, at: '2026-01-01T00:00:04Z' }, /plan changed after/],
  ['of a merged pull request', merged, request, /not open/],
  ['of a fork', fork, request, /comes from a fork/],
  ['of a fork whose head somebody named', { ...fork, vouched: 'one' }, request, { plan }],
  ['of a fork whose older head somebody named', { ...fork, vouched: 'zero' }, request, /comes from a fork/],
  ['without a plan', { ...planned, plan: undefined }, request, /no plan to apply/],
  ['of an older head', planned, { ...request, headSha: 'zero' }, /older head/],
  ['as the head moved', { ...planned, movedAt: Date.parse(request.at) }, request, /head moved to one/],
] as const)('an apply %s', (_, state, asked, expected) => {
  const found = applicable(state, asked);
  if (expected instanceof RegExp) expect('no' in found ? found.no : found).toMatch(expected);
  else expect(found).toEqual(expected);
});

it('a pull request is looked at anew when its head, its base or its readiness changes', () => {
  expect(isNews(undefined, snapshot)).toBe(true);
  expect(isNews(snapshot, { ...snapshot })).toBe(false);
  expect(isNews(snapshot, { ...snapshot, headSha: 'two' })).toBe(true);
  expect(isNews(snapshot, { ...snapshot, baseSha: 'newer' })).toBe(true);
  expect(isNews({ ...snapshot, draft: true }, snapshot)).toBe(true);
  expect(isNews({ ...snapshot, state: 'closed' }, snapshot)).toBe(true);
});

it('a merged pull request is not over while it waits for a change window', () => {
  expect(isOver(merged)).toBe(true);
  expect(isOver({ ...merged, pending: request })).toBe(false);
});
