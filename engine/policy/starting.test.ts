import { expect, test } from 'vitest';
import type { PolicySpec } from '../spec/types.generated.ts';
import type { Change } from './change.ts';
import { judge, teamsToRead } from './judge.ts';
import { sayUnshown, teamsOfPeople } from './people.ts';
import { sayStart } from './starting.ts';
import { change, review } from './testing.ts';

const second = { ...review, reviewId: 2, reviewer: 'olaf', reviewerId: 9 };
const teams: Change['teams'] = {
  organisation: 'acme',
  members: new Map([['ops', new Set(['olaf'])]]),
  unknown: new Set(),
};
const kept: PolicySpec = { trigger: 'approval', people: { apply: { teams: ['ops'] } } };
const how = (spec: PolicySpec, given: Partial<Change> = {}) => {
  const verdict = judge(spec, change({ teams, ...given }));
  return [verdict.ready, verdict.starters, sayStart(spec, verdict)];
};
const ITSELF = 'it is applied by itself';
const BY_OPS = `${ITSELF} when a member of ops has approved it, or says so`;

test.each<readonly [string, PolicySpec, Partial<Change>, ReturnType<typeof how>]>([
  ['anybody who may write', { trigger: 'approval' }, {}, [true, ['rita'], ITSELF]],
  ['nobody yet', { trigger: 'approval' }, { reviews: [] }, [false, [], ITSELF]],
  ['not one whom the policy does not let apply', kept, {}, [true, [], BY_OPS]],
  ['one whom it lets', kept, { reviews: [review, second] }, [true, ['olaf'], ITSELF]],
  ['not their older approval', kept, { reviews: [{ ...second, commitId: 'old' }] }, [false, [], BY_OPS]],
  [
    'not their own change',
    kept,
    { author: { login: 'olaf', id: 9 }, reviews: [review, second] },
    [true, [], BY_OPS],
  ],
  [
    'one who may apply, where a rule asks others',
    { ...kept, rules: { r: { approvals: [{ users: ['rita'] }] } } },
    { reviews: [review, second] },
    [true, ['olaf'], ITSELF],
  ],
  [
    'nobody, where none is asked: the command does',
    { trigger: 'approval', rules: { r: { approvals: [] } } },
    { reviews: [] },
    [true, [], undefined],
  ],
  [
    'one that was not asked for',
    { trigger: 'approval', rules: { r: { approvals: [] } } },
    {},
    [true, ['rita'], ITSELF],
  ],
])('an approval begins the apply: %s', (_, spec, given, expected) => {
  expect(how(spec, given)).toEqual(expected);
});

test('the teams of those who may apply are read for it', () => {
  expect(teamsToRead(kept, change(), 'acme')).toEqual(['ops']);
  expect(teamsToRead({ ...kept, trigger: 'comment' }, change(), 'acme')).toEqual([]);
});

test('a team that lets somebody in and that GitHub does not show is named, with what to do about it', () => {
  const people = {
    apply: { teams: ['ops'] },
    override: { teams: ['ops', 'leads'] },
    notify: { teams: ['all'] },
  };
  expect(teamsOfPeople({ people })).toEqual(['ops', 'leads']);
  expect(teamsOfPeople(undefined)).toEqual([]);
  expect(sayUnshown(['ops', 'leads'], { unknown: new Set(['leads', 'dba']) })).toBe(
    'GitHub does not show the team leads: is it spelt right, and has the App the permission "Members: read"?',
  );
  expect(sayUnshown(['ops'], { unknown: new Set(['dba']) })).toBeUndefined();
});
