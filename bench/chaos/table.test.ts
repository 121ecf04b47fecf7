import { expect, test } from 'vitest';
import { resultOf, type Tried } from './table.ts';
import { trialOf } from './trial.ts';

const survived: Tried = {
  trial: trialOf(1, 0, 3),
  seconds: 20,
  ended: 'applied',
  missed: 0,
  verdict: { survived: true, duplicated: [], lost: [], locks: [], wrong: [] },
};
const failed: Tried = {
  ...survived,
  trial: trialOf(1, 1, 3),
  missed: 2,
  verdict: { survived: false, duplicated: ['a'], lost: ['b', 'c'], locks: ['d'], wrong: [] },
};
const of = (tried: readonly Tried[], wanted = tried.length) => resultOf(tried, { seed: 1, wanted });

test('the figures are the sums over all runs', () => {
  expect(of([survived, failed]).json).toMatchObject({
    runs: 2,
    survived: 1,
    duplicated_effects: 1,
    lost_effects: 2,
    stale_locks: 1,
    wrong_checks: 0,
    missed: 2,
    failed_runs: [1],
  });
});

test('no bar is missed only when every run that was asked for was run and survived', () => {
  expect(of([survived]).barsMissed).toEqual([]);
  expect(of([{ ...survived, missed: 1 }]).barsMissed).toEqual([]);
  expect(of([survived], 2).barsMissed).toEqual(['only 1 of 2 runs were run']);
  expect(of([], 2).barsMissed).toEqual(['only 0 of 2 runs were run']);
  expect(of([survived, failed]).barsMissed).toHaveLength(4);
});
