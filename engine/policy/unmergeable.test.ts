import { expect, test } from 'vitest';
import { blockedRemark, unmergeable } from './unmergeable.ts';

const seen = (mergeableState: string) => ({ baseRef: 'main', mergeableState });
const ALL = ['merge', 'squash', 'rebase'] as const;

test.each(['clean', 'unstable', 'has_hooks', 'unknown', 'draft', 'blocked'])(
  'what GitHub calls %s keeps nothing from being applied',
  (state) => expect(unmergeable(seen(state), 'merge', ALL)).toEqual([]),
);

test('a conflict, and a branch that has to be up to date, are said with what to do', () => {
  expect(unmergeable(seen('dirty'), 'merge', ALL)).toEqual([
    'GitHub says that the branch conflicts with `main`; merge `main` into it and push',
  ]);
  expect(unmergeable(seen('behind'), 'merge', ALL)).toEqual([
    'the branch is behind `main`, whose rules on GitHub want it up to date; press "Update branch" on the pull request, which is planned anew then',
  ]);
});

test('a merge method that the repository does not allow is named, with those that it allows', () => {
  expect(unmergeable(seen('clean'), 'squash', ['merge', 'rebase'])).toEqual([
    "the policy's mergeMethod is squash, which the repository does not allow (it allows merge, rebase); change the policy, or allow it in the repository's settings under Pull Requests",
  ]);
  expect(unmergeable(seen('clean'), 'squash', [])).toEqual([expect.stringContaining('(it allows none)')]);
  expect(unmergeable(seen('clean'), 'squash', ['squash'])).toEqual([]);
});

test('where GitHub does not say which methods are allowed, it is left to the merge', () => {
  expect(unmergeable(seen('clean'), 'squash', undefined)).toEqual([]);
});

test('a merge that rules block is a remark', () => {
  expect(blockedRemark(seen('blocked'))).toEqual([expect.stringContaining('the rules of `main` block')]);
  expect(blockedRemark(seen('clean'))).toEqual([]);
});
