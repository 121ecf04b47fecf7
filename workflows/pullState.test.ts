import { describe, expect, it, test } from 'vitest';
import type { Gate, PlanRef, PullSnapshot, Request } from '../engine/activities/types.ts';
import {
  beginsByItself,
  FRESH,
  gateContext,
  isFreed,
  isMergeNews,
  isNews,
  isOver,
  isRevert,
  mayHaveMissed,
  mayPlan,
  mayYetBegin,
  meantAnOlderHead,
  opensByItself,
  saysTheSame,
  starterOf,
  unplanned,
  windowOf,
  withBegun,
  withPusher,
  withSnapshot,
} from './pullState.ts';

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
const request: Request = {
  command: 'apply',
  actor: 'anna',
  at: '2026-01-01T00:00:10Z',
  commentId: 1,
  headSha: undefined,
};
const at = (text: string): number => Date.parse(`2026-01-01T00:00:${text}Z`);

describe('a comment means the head that its writer can have seen', () => {
  const first = withSnapshot(FRESH, snapshot, at('01'));
  const movedAt = (time: string) => withSnapshot(first, { ...snapshot, headSha: 'two' }, at(time));

  it.each([
    ['written before the head moved', '12.000', request, true],
    ['written in the same second', '10.500', request, true],
    ['written in the second after', '09.999', request, false],
    ['that names the head', '12.000', { ...request, headSha: 'two' }, false],
    ['a button, which names its head', '12.000', { ...request, commentId: undefined, headSha: 'two' }, false],
  ])('%s', (_name, time, asked, older) => {
    expect(meantAnOlderHead(movedAt(time), asked)).toBe(older);
  });

  it.each([
    ['ahead', at('59'), '09.999', false],
    ['behind', at('00'), '12.000', true],
  ])('by the clock of GitHub, where that of workflows is %s', (_off, own, seen, older) => {
    const moved = withSnapshot(first, { ...snapshot, headSha: 'two', seenAt: at(seen) }, own);
    expect(meantAnOlderHead(moved, request)).toBe(older);
  });

  it('and the first head that is seen has moved from none', () => {
    expect(meantAnOlderHead(first, { ...request, at: '2026-01-01T00:00:00Z' })).toBe(false);
    expect(meantAnOlderHead(withSnapshot(first, { ...snapshot, baseSha: 'x' }, at('20')), request)).toBe(
      false,
    );
  });
});

test('a plan begins by itself once, by an approval only, and only where policy says so', () => {
  const plan: PlanRef = { digest: 'd', headSha: 'one', baseSha: 'b', hosts: [], waves: [], shownAt: '' };
  const gate: Gate = { ready: true, missing: [], approvedBy: ['rob'], trigger: 'approval' };
  expect(beginsByItself(FRESH, gate, plan)).toBe(true);
  expect(beginsByItself(FRESH, { ...gate, trigger: 'comment' }, plan)).toBe(false);
  expect(beginsByItself(FRESH, { ...gate, approvedBy: [] }, plan)).toBe(false);
  expect(beginsByItself(FRESH, { ...gate, ready: false }, plan)).toBe(false);
  // only of those who may apply, where the policy names them
  expect(beginsByItself(FRESH, { ...gate, starters: [] }, plan)).toBe(false);
  expect(starterOf({ ...gate, starters: ['olivia', 'ops'] })).toBe('ops');
  const begun = withBegun(FRESH, plan);
  expect(beginsByItself(begun, gate, plan)).toBe(false);
  expect(beginsByItself(begun, gate, { ...plan, headSha: 'two' })).toBe(true);
});

test('what begins by itself when its window opens does so no more once somebody cancelled that', () => {
  const gate = { ready: false, trigger: 'approval' as const, missing: [], approvedBy: ['ops'], opensAt: 9 };
  const plan: PlanRef = { digest: 'd', headSha: 'one', baseSha: 'b', hosts: [], waves: [], shownAt: '' };
  const state = { ...FRESH, snapshot, plan, gate };
  expect(opensByItself(state)).toBe(true);
  expect(gateContext(state, undefined).onlyAsked).toBeUndefined();
  const cancelled = withBegun(state, plan);
  expect(opensByItself(cancelled)).toBe(false);
  expect(gateContext(cancelled, undefined).onlyAsked).toBe(true);
  expect(opensByItself({ ...state, gate: { ...gate, trigger: 'comment' } })).toBe(false);
  expect(opensByItself({ ...state, snapshot: { ...snapshot, state: 'merged' } })).toBe(false);
});

test('what would begin by itself can be held back whatever it still waits for, once', () => {
  const gate: Gate = {
    ready: false,
    trigger: 'approval',
    missing: ['ci/test'],
    approvedBy: [],
    starters: [],
  };
  const plan: PlanRef = { digest: 'd', headSha: 'one', baseSha: 'b', hosts: [], waves: [], shownAt: '' };
  const state = { ...FRESH, snapshot, plan, gate };
  expect(mayYetBegin(state)).toBe(true);
  expect(mayYetBegin(withBegun(state, plan))).toBe(false);
  expect(mayYetBegin({ ...state, gate: { ...gate, trigger: 'comment' } })).toBe(false);
  expect(mayYetBegin({ ...state, snapshot: { ...snapshot, state: 'closed' } })).toBe(false);
  expect(mayYetBegin({ ...state, plan: undefined })).toBe(false);
});

test('a check that ended while there was no verdict may be missing in it', () => {
  const gate: Gate = { ready: false, missing: [], approvedBy: [], waitsForChecks: true };
  const checked = { ...FRESH, checked: true };
  expect(mayHaveMissed(checked, gate)).toBe(true);
  expect(mayHaveMissed(checked, { ...gate, waitsForChecks: false })).toBe(false);
  expect(mayHaveMissed(FRESH, gate)).toBe(false);
  // it is read anew with the plan
  expect(mayHaveMissed(unplanned(checked), gate)).toBe(false);
});

test('a revert is known by the name of its branch, not in a fork', () => {
  expect(['doaas/revert-7', 'doaas/revert-7-2'].every((headRef) => isRevert({ ...snapshot, headRef }))).toBe(
    true,
  );
  expect(isRevert({ ...snapshot, headRef: 'doaas/revert-7', fork: true })).toBe(false);
  expect(isRevert({ ...snapshot, headRef: 'revert-7-web' })).toBe(false);
});

test('no change of a comment that is to stand is lost among events that say the same', () => {
  const change = { kind: 'notice-changed', by: 'a', notice: 7, change: 'deleted 17' } as const;
  expect(saysTheSame(change, { ...change, by: 'b' })).toBe(false);
});

test('pushers are remembered, once each, and none is lost among events that say the same', () => {
  const state = ['a', 'b', 'a'].reduce((before, login) => withPusher(before, { login }), FRESH);
  expect(gateContext(state, undefined).pushers?.map(({ login }) => login)).toEqual(['b', 'a']);
  const pushed = (login: string) => ({ kind: 'changed' as const, pushedBy: { login } });
  expect(saysTheSame(pushed('a'), pushed('b'))).toBe(false);
  expect(saysTheSame(pushed('a'), pushed('a'))).toBe(true);
  expect(saysTheSame({ kind: 'changed' }, { kind: 'changed' })).toBe(true);
  expect(saysTheSame({ kind: 'asked', request }, { kind: 'asked', request })).toBe(false);
  expect(saysTheSame({ kind: 'base-moved' }, { kind: 'base-moved' })).toBe(true);
  expect(saysTheSame({ kind: 'base-moved' }, { kind: 'base-moved', servers: true })).toBe(false);
});

test('another base is news, also at the same commit; what an older engine read is not', () => {
  const into = (baseRef: string): PullSnapshot => ({ ...snapshot, baseRef, defaultBranch: 'main' });
  expect(isNews(into('a'), into('main'))).toBe(true);
  expect(isNews(into('a'), into('b'))).toBe(true);
  expect(isNews(into('main'), { ...into('trunk'), defaultBranch: 'trunk' })).toBe(false);
  expect(isNews(into('main'), { ...into('main'), defaultBranch: 'trunk' })).toBe(true);
  expect(isNews(snapshot, into('main'))).toBe(false);
  expect(isNews({ ...snapshot, baseRef: 'a' }, snapshot)).toBe(false);
});

test('a merge is news where it was open before, or was never looked at', () => {
  const merged: PullSnapshot = { ...snapshot, state: 'merged' };
  expect(isMergeNews(snapshot, merged)).toBe(true);
  expect(isMergeNews(merged, merged)).toBe(false);
  expect(isMergeNews(undefined, merged)).toBe(false);
  expect(isMergeNews(undefined, { ...merged, isNews: true })).toBe(true);
  expect(isMergeNews(undefined, { ...snapshot, state: 'closed' })).toBe(false);
});

test('a fork is planned at the head that was named, and at no other', () => {
  const fork = { ...snapshot, fork: true };
  expect(mayPlan(FRESH, snapshot)).toBe(true);
  expect(mayPlan(FRESH, fork)).toBe(false);
  expect(mayPlan({ ...FRESH, vouched: 'one' }, fork)).toBe(true);
  expect(mayPlan({ ...FRESH, vouched: 'one' }, { ...fork, headSha: 'two' })).toBe(false);
});

describe('what GitHub would not let the engine see', () => {
  const seen = withSnapshot(FRESH, snapshot, 0);

  it('is over when it is gone, but never under a run', () => {
    expect(isOver({ ...seen, lost: 'gone' })).toBe(true);
    expect(isOver({ ...FRESH, lost: 'gone' })).toBe(true);
    expect(isOver({ ...seen, lost: 'refused' })).toBe(false);
    const running = { run: 'r', workflowId: 'w', request, plan: {} as PlanRef, attempt: 1 };
    expect(isOver({ ...seen, lost: 'gone', running })).toBe(false);
  });

  it('is planned anew when it is seen again, although nothing moved', () => {
    const again = withSnapshot({ ...seen, lost: 'gone' }, snapshot, 0);
    expect(again.lost).toBe('refused');
    expect(isNews(snapshot, snapshot, again.lost)).toBe(true);
    expect(isNews(snapshot, snapshot, seen.lost)).toBe(false);
  });
});

describe('what waits for a change window', () => {
  const gate = (more: Partial<Gate>): Gate => ({
    ready: false,
    missing: [],
    approvedBy: [],
    trigger: 'comment',
    ...more,
  });
  const waiting = { ...FRESH, pending: request, pendingUntil: at('30') };

  test('waits for its opening, also where more is missing meanwhile or it is planned anew', () => {
    expect(windowOf({ ...waiting, gate: gate({ opensAt: at('40') }) })).toBe(at('40'));
    expect(windowOf({ ...waiting, gate: gate({ missing: ['a review'] }) })).toBe(at('30'));
    expect(windowOf(waiting)).toBe(at('30'));
    expect(windowOf({ ...waiting, pending: undefined })).toBeUndefined();
  });

  test('waits until then by the clock of workflows, however that is off', () => {
    const [ahead, behind] = [7_200_000, -7_200_000];
    expect(windowOf({ ...FRESH, gate: gate({ opensAt: at('40'), aheadMs: ahead }) })).toBe(at('40') + ahead);
    expect(windowOf({ ...waiting, gate: gate({ opensAt: at('40'), aheadMs: behind }) })).toBe(
      at('40') + behind,
    );
  });

  test('goes on as soon as it is judged without one', () => {
    const free = { ...waiting, gate: gate({ ready: true }) };
    expect(isFreed(free)).toBe(true);
    expect(isFreed({ ...free, pending: undefined })).toBe(false);
    expect(isFreed({ ...waiting, gate: gate({ missing: ['a review'] }) })).toBe(false);
    expect(isFreed({ ...waiting, gate: gate({ opensAt: at('40') }) })).toBe(false);
    expect(isFreed(waiting)).toBe(false);
  });
});
