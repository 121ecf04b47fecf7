import { describe, expect, it, test } from 'vitest';
import type { Review } from '../github/reviews.ts';
import type { PolicyRule, PolicySpec } from '../spec/types.generated.ts';
import type { Change } from './change.ts';
import { judge } from './judge.ts';
import { change, review, step, target } from './testing.ts';

const who = 'one approving review by somebody with write access other than anna';
const by = (reviewer: string, reviewerId: number): Review => ({ ...review, reviewer, reviewerId });
const rule = (given: PolicyRule): PolicySpec => ({ rules: { r: given } });
const missing = (spec: PolicySpec | undefined, given: Partial<Change> = {}) =>
  judge(spec, change(given)).missing;

describe('without a policy', () => {
  it('an approval of the shown plan by somebody else is enough', () => {
    expect(judge(undefined, change())).toMatchObject({ ready: true, missing: [], approvedBy: ['rita'] });
  });

  it.each<readonly [string, Partial<Change>, string]>([
    ['nobody', { reviews: [] }, who],
    [
      'the author, in other letters',
      { author: { login: 'anna' }, reviews: [{ ...review, reviewer: 'ANNA' }] },
      `${who} (an author's own approval does not count)`,
    ],
    [
      'the author, renamed meanwhile',
      { reviews: [by('anna-now', 1)] },
      `${who} (an author's own approval does not count)`,
    ],
    ['a reader', { reviews: [{ ...review, permission: 'read' }] }, who],
    ['somebody who lost the access', { reviews: [{ ...review, permission: 'none' }] }, who],
    ['a bot', { reviews: [{ ...review, isBot: true }] }, who],
    [
      'somebody who pushed to it',
      { pushers: [{ login: 'before', id: 7 }] },
      `${who} (the one by rita does not count: rita pushed to it)`,
    ],
    [
      'an older head',
      { reviews: [{ ...review, commitId: 'old' }] },
      `${who} (the one by rita does not count: it was for an older head)`,
    ],
    [
      'before the plan was shown',
      { reviews: [{ ...review, submittedAt: '2026-01-01T00:00:09Z' }] },
      `${who} (the one by rita does not count: it came before this plan was shown; approve again)`,
    ],
    [
      'before the plan became another one',
      { replaced: true, reviews: [{ ...review, submittedAt: '2026-01-01T00:00:09Z' }] },
      `${who} (the one by rita does not count: the plan has changed since)`,
    ],
  ])('it is not opened by %s', (_name, given, sentence) => {
    expect(judge(undefined, change(given))).toMatchObject({
      ready: false,
      missing: [sentence],
      approvedBy: [],
    });
  });

  it('somebody who took the name of one who pushed may approve, with an account of their own', () => {
    expect(judge(undefined, change({ pushers: [{ login: 'rita', id: 99 }] })).ready).toBe(true);
  });

  it('no approval counts while it is not known who pushed; a broken glass does not wait for that', () => {
    const pushersUnknown = 'nobody told who pushed head to x; push a new commit';
    expect(missing(undefined, { pushersUnknown })).toEqual([
      'one approving review by somebody with write access other than anna (the one by rita does not count: nobody told who pushed head to x; push a new commit)',
    ]);
    expect(judge(undefined, change({ pushersUnknown, lifted: 'break-glass' })).ready).toBe(true);
    expect(judge(undefined, change({ pushersUnknown, lifted: 'override' })).ready).toBe(false);
  });

  it('an objection closes it although another approved', () => {
    const objection: Review = { ...by('otto', 8), state: 'changes-requested' };
    expect(missing(undefined, { reviews: [review, objection] })).toEqual([
      'otto requests changes; an approval by them or a dismissal settles it',
    ]);
  });

  it('drafts, forks and closed pull requests are closed, whatever is lifted', () => {
    for (const lifted of ['nothing', 'override', 'break-glass'] as const)
      expect(missing(undefined, { draft: true, fork: true, open: false, lifted })).toHaveLength(3);
    expect(missing(undefined, { fork: true, vouched: true })).toEqual([]);
  });

  it('what goes into another branch, was planned for another one, or would not be merged is closed, whatever is lifted', () => {
    const aside = { into: 'a', defaultBranch: 'main' };
    for (const lifted of ['nothing', 'override', 'break-glass'] as const)
      expect(missing(undefined, { aside, lifted })).toEqual([
        'the pull request goes into `a`; only what goes into `main` is applied. Change its base, or merge `a` first',
      ]);
    for (const lifted of ['override', 'break-glass'] as const)
      expect(missing(undefined, { unmergeable: ['GitHub would refuse'], lifted })).toEqual([
        'GitHub would refuse',
      ]);
    expect(missing(undefined, { strayed: true, lifted: 'break-glass' })).toEqual([
      expect.stringContaining('merged before it was planned for that branch'),
    ]);
  });
});

describe('approvals', () => {
  const teams: Change['teams'] = {
    organisation: 'acme',
    members: new Map([['dba', new Set(['dora'])]]),
    unknown: new Set(['gone']),
  };
  const dora = by('dora', 3);

  test.each<readonly [string, PolicyRule, readonly Review[], string | undefined]>([
    ['two, one is there', { approvals: [{ count: 2 }] }, [review], '1 of 2 is there'],
    ['two, both there', { approvals: [{ count: 2 }] }, [review, dora], undefined],
    ['a team, by another', { approvals: [{ teams: ['dba'] }] }, [review], 'by rita does not count here'],
    ['a team, by a member', { approvals: [{ teams: ['dba'] }] }, [dora], undefined],
    ['a team that is not there', { approvals: [{ teams: ['gone'] }] }, [dora], 'does not show the team gone'],
    ['a user', { approvals: [{ users: ['RITA'] }] }, [review], undefined],
    ['a user by id', { approvals: [{ users: ['former#7'] }] }, [review], undefined],
    ['a name taken by another', { approvals: [{ users: ['rita#6'] }] }, [review], 'does not count here'],
    ['user or team', { approvals: [{ users: ['x'], teams: ['dba'] }] }, [dora], undefined],
    ['two requirements, one person for both', { approvals: [{}, { teams: ['dba'] }] }, [dora], undefined],
    ['none', { approvals: [] }, [], undefined],
    ['nothing said', {}, [], who],
  ])('%s', (_name, given, reviews, part) => {
    const left = missing(rule(given), { reviews, teams });
    if (part === undefined) expect(left).toEqual([]);
    else expect(left).toEqual([expect.stringContaining(part)]);
  });

  test('a reviewer who was renamed is known by the id, in the policy and among those who pushed', () => {
    const renamed = by('rita-now', 7);
    const named = (name: string) => missing(rule({ approvals: [{ users: [name] }] }), { reviews: [renamed] });
    expect(named('rita#7')).toEqual([]);
    expect(named('rita')).toHaveLength(1);
    expect(missing(undefined, { reviews: [renamed], pushers: [{ login: 'rita', id: 7 }] })).toEqual([
      `${who} (the one by rita-now does not count: rita-now pushed to it)`,
    ]);
  });

  test('the pull request of a deleted account needs an approval like any other', () => {
    const author = { login: 'ghost' };
    expect(missing(undefined, { author })).toEqual([]);
    expect(missing(undefined, { author, reviews: [] })).toEqual([
      'one approving review by somebody with write access other than ghost',
    ]);
  });

  test('reviews beyond those that are read keep the gate shut, for one of them may object', () => {
    expect(missing(undefined, { reviewsCut: true })).toEqual([
      expect.stringContaining('there are more reviews than are read'),
    ]);
    expect(judge(undefined, change({ reviewsCut: true, lifted: 'override' })).ready).toBe(false);
    expect(judge(undefined, change({ reviewsCut: true, lifted: 'break-glass' })).ready).toBe(true);
  });

  test('code owners: each owned path needs one of its owners, by the default branch', () => {
    const codeowners = '* @rita\n/db/ @acme/dba\n/free/\n';
    const owners = rule({ approvals: [{ codeOwners: true }] });
    const judged = (reviews: readonly Review[], paths: readonly string[], text?: string) =>
      missing(owners, { reviews, paths, teams, codeowners: text ?? codeowners });
    expect(judged([review], ['db/a.yaml', 'web.yaml'])).toEqual([
      expect.stringContaining('db/a.yaml is owned by @acme/dba'),
    ]);
    expect(judged([review, dora], ['db/a.yaml', 'web.yaml'])).toEqual([]);
    expect(judged([review], ['free/a'])).toEqual([]);
    expect(missing(owners, { codeowners: undefined })).toEqual([
      expect.stringContaining('the default branch has no CODEOWNERS'),
    ]);
    const long = (lines: number) => `${'/other @rita\n# why\n'.repeat(lines - 1)}* @rita\n`;
    expect(judged([review], ['web.yaml'], long(5_000))).toEqual([]);
    // the line that would be left out names another owner
    expect(judged([review], ['web.yaml'], `${long(5_000)}/web.yaml @acme/dba\n`)).toEqual([
      expect.stringContaining('CODEOWNERS of the default branch has more than 5000 lines with a pattern'),
    ]);
    expect(judged([by('otto', 8)], ['web.yaml'])).toHaveLength(1);
    expect(judged([by('mallory', 9)], ['web.yaml'], '* rita@example.com')).toHaveLength(1);
  });

  test('rules that match add up; one that says nothing of approvals leaves them to the others', () => {
    const spec: PolicySpec = {
      rules: { quiet: { limits: { hosts: 9 } }, free: { match: { labels: { role: 'web' } }, approvals: [] } },
    };
    expect(missing(spec, { reviews: [] })).toEqual([]);
    expect(missing({ rules: { quiet: { limits: { hosts: 9 } } } }, { reviews: [] })).toEqual([who]);
  });

  test.each<readonly [string, PolicyRule, Partial<Change>]>([
    ['a path', { match: { paths: ['docs/**'] }, approvals: [] }, { paths: ['docs/a', 'web.yaml'] }],
    [
      'a server',
      { match: { labels: { env: 'dev' } }, approvals: [] },
      { targets: [target('dev-1', { labels: { env: 'dev' } }), target('web-1')] },
    ],
    [
      'a step',
      { match: { disruption: ['none'] }, approvals: [] },
      { targets: [target('web-1', { steps: [step(), step({ disruption: 'reboot' })] })] },
    ],
  ])('%s that needs none does not free what comes with it', (_name, given, more) => {
    expect(missing(rule(given), { ...more, reviews: [] })).toEqual([who]);
  });
});

describe('a server that the change relabels', () => {
  const spec: PolicySpec = {
    people: { override: { teams: ['ops'] } },
    rules: {
      dba: {
        match: { labels: { role: 'db' } },
        approvals: [{ users: ['dora'] }],
        limits: { hosts: 0 },
        window: { timeZone: 'UTC', days: ['mon'] },
      },
      dev: { match: { labels: { role: 'web' } }, approvals: [] },
    },
  };
  const before = [{ site: 'default', labels: { role: 'db' } }];

  test('is judged by the rules of its old labels too, and those of the new free nothing', () => {
    const targets = [target('db-1', { before, moved: true })];
    expect(missing(spec, { targets, reviews: [] })).toEqual([
      expect.stringContaining('one approving review by dora'),
      expect.stringContaining('the change window mon UTC'),
      expect.stringContaining('at most 0 servers changed, but it is 1'),
    ]);
    const { dev = {} } = spec.rules ?? {};
    expect(missing(rule(dev), { targets, reviews: [] })).toEqual([who]);
  });

  test('asks for it although nothing is done there; the limits count what is done', () => {
    const targets = [target('db-1', { before, moved: true, steps: [] })];
    expect(missing(spec, { targets, reviews: [] })).toEqual([
      expect.stringContaining('one approving review by dora'),
      expect.stringContaining('the change window mon UTC'),
    ]);
    expect(missing(undefined, { targets, reviews: [] })).toEqual([who]);
  });
});

describe('what else is asked', () => {
  test('checks of others', () => {
    const spec = rule({ checks: ['ci/test'] });
    const state = (checks: Change['checks']) => judge(spec, change({ checks }));
    expect(state([]).missing).toEqual(['the check ci/test to be green (rule r; it has not begun)']);
    expect(state([{ name: 'ci/test', state: 'running' }])).toMatchObject({ waitsForChecks: true });
    expect(state([{ name: 'ci/test', state: 'red' }]).missing[0]).toContain('it failed');
    expect(state([{ name: 'ci/test', state: 'green' }]).ready).toBe(true);
    expect(
      state([
        { name: 'ci/test', state: 'green' },
        { name: 'ci/test', state: 'red' },
      ]).ready,
    ).toBe(false);
  });

  test('checks of a commit that has more than are read: none of them is believed', () => {
    const cut = { checksCut: true, checks: [{ name: 'ci/test', state: 'green' }] } as const;
    expect(judge(rule({ checks: ['ci/test'] }), change(cut)).missing).toEqual([
      'the check ci/test to be green (rule r; the commit has more checks or statuses than are read, so this one is not known; push a new commit, which has none yet)',
    ]);
    expect(judge(rule({}), change(cut)).ready).toBe(true);
    expect(judge(rule({ checks: ['ci/test'] }), change({ ...cut, lifted: 'override' })).ready).toBe(true);
  });

  test('its windows, for as long as a run lasts; none that somebody took away', () => {
    const window = { timeZone: 'UTC', hours: { from: '09:00', to: '17:00' } };
    const windows = (lifted: Change['lifted']) => judge(rule({ window }), change({ lifted })).windows;
    expect(windows('nothing')).toEqual([window]);
    for (const lifted of ['override', 'break-glass'] as const) expect(windows(lifted)).toEqual([]);
    const elsewhere = { window, match: { paths: ['elsewhere/**'] } };
    expect(judge(rule(elsewhere), change()).windows).toEqual([]);
  });

  test('a check of one App, which nobody else can give', () => {
    const spec = rule({ checks: [{ name: 'ci/test', app: 'acme-ci' }] });
    const left = (...checks: Change['checks']) => judge(spec, change({ checks })).missing;
    const not = (how: string) => [`the check ci/test of the App acme-ci to be green (rule r; ${how})`];
    const forged = { name: 'ci/test', app: 'github-actions', state: 'green' } as const;
    expect(left(forged, { name: 'ci/test', state: 'green' })).toEqual(not('it has not begun'));
    expect(left(forged, { name: 'ci/test', app: 'acme-ci', state: 'running' })).toEqual(not('it runs'));
    expect(left({ ...forged, state: 'red' }, { name: 'ci/test', app: 'acme-ci', state: 'green' })).toEqual(
      [],
    );
  });

  test('a window, and when it opens', () => {
    const window = { timeZone: 'Europe/Berlin', hours: { from: '09:00', to: '17:00' } };
    const judged = judge(rule({ window }), change());
    expect(judged.missing).toEqual([
      'the change window every day 09:00-17:00 Europe/Berlin (rule r; it opens 2026-01-01 08:00 UTC)',
    ]);
    expect(judged.opensAt).toBe(Date.parse('2026-01-01T08:00:00Z'));
    expect(judge(rule({ window }), change({ reviews: [] })).opensAt).toBeUndefined();
    const frozen = rule({
      window: { ...window, freeze: [{ from: '2026-01-01', to: '2026-01-06', reason: 'Rest' }] },
    });
    expect(judge(frozen, change()).missing[0]).toContain(
      'frozen until 2026-01-06, Rest; it opens 2026-01-07 08:00 UTC',
    );
  });

  test('limits, with who may override them', () => {
    const removal = step({ operation: 'packages.remove', params: { packages: ['a'], removes: ['b', 'c'] } });
    const targets = [target('web-1', { steps: [removal] }), target('web-2')];
    const spec: PolicySpec = {
      people: { override: { teams: ['ops'] } },
      rules: { r: { limits: { hosts: 1, packagesRemoved: 2 } } },
    };
    expect(missing(spec, { targets })).toEqual([
      'at most 1 servers changed, but it is 2 (rule r); split the change, or a member of ops overrides it with a reason',
      'at most 2 packages removed, but it is 3 (rule r); split the change, or a member of ops overrides it with a reason',
    ]);
    expect(judge(spec, change({ targets, lifted: 'override' }))).toMatchObject({
      ready: true,
      lifted: { length: 2 },
    });
    expect(judge(spec, change({ targets, lifted: 'break-glass' })).ready).toBe(false);
  });

  test('a broken glass skips what is waited for; an override no approval', () => {
    const spec = rule({
      approvals: [{ count: 2 }],
      checks: ['ci'],
      window: { timeZone: 'UTC', hours: { from: '09:00', to: '10:00' } },
    });
    expect(judge(spec, change({ lifted: 'break-glass' }))).toMatchObject({
      ready: true,
      lifted: { length: 3 },
    });
    expect(missing(spec, { lifted: 'override' })).toEqual([expect.stringContaining('2 approving reviews')]);
  });

  test('a policy that asks for very much is said in bounds', () => {
    const checks = Array.from({ length: 50 }, (_, i) => `ci/${i}-${'x'.repeat(190)}`);
    const rules = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`r${i}`, { checks }]));
    const judged = judge({ rules }, change());
    expect(judged.ready).toBe(false);
    expect(judged.missing.at(-1)).toMatch(/^and \d+ more$/);
    expect(JSON.stringify(judged).length).toBeLessThan(200_000);
  });
});
