import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Difference, PathState } from '../../lab/compare.ts';
import type { CheckRun } from '../../test/world.ts';
import { type Counted, nameOf } from './change.ts';
import { FAULTS, losesPower, MODES, trialOf } from './trial.ts';
import { judge, nameless, type Observed, type Reference, referenceOf } from './verdict.ts';

const wanted = { name: nameOf(1, 'run'), change: 'install' } as const;
const calm = nameOf(3, 'calm');
const before: Counted = {
  applied: 0,
  undone: 0,
  starts: 4,
  transactions: 2,
  packaged: false,
  active: true,
  units: [],
};
const after: Counted = { ...before, applied: 1, starts: 5, transactions: 3, packaged: true };

const contentFor = (name: string) => createHash('sha256').update(`${name}\n`).digest('hex');
const file = (sha256: string, change: Partial<PathState> = {}): PathState => ({
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  sha256,
  xattrs: {},
  links: [],
  ...change,
});
const became = (path: string, now: PathState | undefined): Difference => ({
  path,
  what: ['content'],
  before: undefined,
  after: now,
});
const binary = became('/usr/bin/tree', file('b'));
const conf = (name: string, change: Partial<PathState> = {}) =>
  became('/etc/chaos.conf', file(contentFor(name), change));

const check = (name: string, conclusion: string, title: string): CheckRun => ({
  id: 1,
  name,
  status: 'completed',
  conclusion,
  title,
  summary: '',
});
const planned = [
  check('doaas/validate', 'success', 'Valid'),
  check('doaas/plan', 'success', '4 changes on 3 servers'),
];
const checks = [
  ...planned,
  check('doaas/apply', 'success', 'Applied 4 changes on 3 servers; merged as 1234abcd'),
  check('doaas/verify', 'success', 'Verified'),
];
const applied: Observed = {
  ended: 'applied',
  merged: true,
  checks,
  revertChecks: [],
  comment: `Applied ${wanted.name} as pr7-12345678 (#7)`,
  locks: [],
  hosts: [{ name: 'a', lostPower: false, before, after, differences: [conf(wanted.name), binary] }],
};
const undisturbed: Observed = {
  ...applied,
  checks: [
    ...planned,
    check('doaas/apply', 'success', 'Applied 4 changes on 3 servers; merged as 99998888'),
    check('doaas/verify', 'success', 'Verified'),
  ],
  comment: `Applied ${calm} as pr3-87654321 (#3)`,
  hosts: [{ name: 'a', lostPower: false, before, after, differences: [conf(calm), binary] }],
};
const reference = referenceOf(calm, undisturbed);
const putBack: Counted = { ...before, applied: 1, undone: 1, starts: 6, transactions: 4 };
const back: Observed = {
  ...applied,
  ended: 'rolled-back',
  merged: false,
  comment: 'Rolled back',
  checks: [...planned, check('doaas/apply', 'failure', 'Probe x failed on a; 3 servers restored as before')],
  hosts: [{ name: 'a', lostPower: false, before, after: putBack, differences: [] }],
};
const backReference: Reference = {
  paths: new Map(),
  effects: { starts: 2, transactions: 2 },
  said: reference.said,
};
const host = (change: object, seen = applied) =>
  ({ ...seen, hosts: [{ ...seen.hosts[0], ...change }] }) as Observed;
const verdict = (seen: Observed, mode: keyof typeof MODES = 'apply') =>
  judge({ mode }, wanted, seen, seen.ended === 'rolled-back' ? backReference : reference);
const saying = (name: string, conclusion: string, title: string, seen = applied): Observed => ({
  ...seen,
  checks: seen.checks.map((each) => (each.name === name ? check(name, conclusion, title) : each)),
});

type Where = Exclude<keyof ReturnType<typeof verdict>, 'survived'>;

describe('a run', () => {
  test('that did all once, and says so, has survived', () => {
    const clean = { survived: true, duplicated: [], lost: [], locks: [], wrong: [] };
    expect(verdict(applied)).toEqual(clean);
    expect(verdict(applied, 'plan')).toEqual(clean);
  });

  test('that put all back, and says so, has survived', () => {
    expect(verdict(back, 'rollback')).toMatchObject({ survived: true });
    expect(verdict(back)).toMatchObject({ survived: true });
  });

  test.each<readonly [string, Observed, Where]>([
    ['an effect twice', host({ after: { ...after, applied: 2, undone: 1 } }), 'duplicated'],
    ['a service started twice', host({ after: { ...after, starts: 6 } }), 'duplicated'],
    ['a package installed twice', host({ after: { ...after, transactions: 4 } }), 'duplicated'],
    ['an effect undone', host({ after: { ...after, undone: 1 } }), 'lost'],
    ['no package', host({ after: { ...after, packaged: false } }), 'lost'],
    ['no service', host({ after: { ...after, active: false } }), 'lost'],
    ['a unit of the engine', host({ after: { ...after, units: ['doaas-x-apply.service failed'] } }), 'lost'],
    ['the old file', host({ differences: [binary] }), 'lost'],
    ['the file of another run', host({ differences: [conf(nameOf(0, 'run')), binary] }), 'lost'],
    [
      'the file with a wrong mode',
      host({ differences: [conf(wanted.name, { mode: 0o600 }), binary] }),
      'lost',
    ],
    ['the file with a wrong owner', host({ differences: [conf(wanted.name, { uid: 33 }), binary] }), 'lost'],
    [
      'a link in the place of the file',
      host({
        differences: [became('/etc/chaos.conf', file('x', { type: 'symlink', target: '/x' })), binary],
      }),
      'lost',
    ],
    ['no file of the package', host({ differences: [conf(wanted.name)] }), 'lost'],
    [
      'another content in a file of the package',
      host({ differences: [conf(wanted.name), became('/usr/bin/tree', file('c'))] }),
      'lost',
    ],
    [
      'a path that no other run changes',
      host({ differences: [conf(wanted.name), binary, became('/etc/passwd', file('p'))] }),
      'lost',
    ],
    [
      'a path that such a run does not remove',
      host({ differences: [conf(wanted.name), binary, became('/usr/share/doc/tree', undefined)] }),
      'lost',
    ],
    ['a file of the package, put back', host({ differences: [binary] }, back), 'lost'],
    ['the package, put back', host({ after: { ...putBack, packaged: true } }, back), 'lost'],
    ['a lock', { ...applied, locks: ['a is locked'] }, 'locks'],
    ['no merge', { ...applied, merged: false }, 'wrong'],
    ['a merge, put back', { ...back, merged: true }, 'wrong'],
    [
      'a check that is open',
      { ...applied, checks: [...checks, { ...check('doaas/other', '', ''), status: 'in_progress' }] },
      'wrong',
    ],
    ['another apply check', saying('doaas/apply', 'failure', 'x'), 'wrong'],
    [
      'fewer changes in the apply check',
      saying('doaas/apply', 'success', 'Applied 3 changes on 3 servers'),
      'wrong',
    ],
    ['another verify check', saying('doaas/verify', 'neutral', 'x'), 'wrong'],
    ['another plan check', saying('doaas/plan', 'failure', 'web-1 cannot be reached'), 'wrong'],
    ['another plan check, put back', saying('doaas/plan', 'failure', 'x', back), 'wrong'],
    ['another validate check', saying('doaas/validate', 'failure', 'not YAML'), 'wrong'],
    ['no validate check', { ...applied, checks: checks.slice(1) }, 'wrong'],
    [
      'an apply check that says too little',
      saying('doaas/apply', 'failure', 'a cannot be reached', back),
      'wrong',
    ],
    ['a comment that goes on', { ...applied, comment: `Applying ${wanted.name}` }, 'wrong'],
    ['a comment that goes on, put back', { ...back, comment: 'Applying' }, 'wrong'],
    [
      'a revert that is not right',
      { ...applied, revertChecks: [check('doaas/plan', 'failure', 'x')] },
      'wrong',
    ],
    ['no end', { ...applied, ended: 'neither' }, 'wrong'],
  ])('that left %s has not', (_, seen, where) => {
    const judged = verdict(seen);
    expect(judged.survived).toBe(false);
    expect(judged[where]).not.toHaveLength(0);
  });

  test('whose host lost power may have started the service at boot, and nothing else', () => {
    expect(verdict(host({ lostPower: true, after: { ...after, starts: 6 } })).survived).toBe(true);
    expect(verdict(host({ lostPower: true, after: { ...after, applied: 2, undone: 1 } })).survived).toBe(
      false,
    );
  });

  test('that did nothing, and says so, has survived; one that did something has not', () => {
    const stale = saying('doaas/apply', 'neutral', 'Not applied: the plan no longer holds', back);
    expect(verdict(host({ after: before }, stale)).survived).toBe(true);
    expect(verdict(stale).wrong).toHaveLength(1);
  });

  test.each<readonly [keyof typeof MODES, Observed['ended']]>([
    ['rollback', 'applied'],
    ['take-back', 'applied'],
    ['take-back', 'rolled-back'],
    ['apply', 'taken-back'],
  ])('with %s in it may not end as %s', (mode, ended) => {
    expect(verdict({ ...(ended === 'rolled-back' ? back : applied), ended }, mode).wrong).not.toHaveLength(0);
  });
});

test('undisturbed runs that leave servers which differ are no reference', () => {
  const [first] = undisturbed.hosts;
  const other = { ...first, name: 'b', differences: [conf(calm, { mode: 0o600 }), binary] };
  expect(() => referenceOf(calm, { ...undisturbed, hosts: [first, other] } as Observed)).toThrow(
    'servers that differ',
  );
});

test('what is said is compared without what differs from run to run', () => {
  const said = (name: string, pull: number, sha: string, seconds: number) =>
    nameless(`${name}: pr${pull}-${sha} (#${pull}) at ${sha}, ${seconds} s; 3 servers`);
  expect(said(wanted.name, 7, '1234abcd', 5.2)).toBe(said(calm, 12, 'ffff0000', 61));
  expect(nameless('2 servers')).not.toBe(nameless('3 servers'));
});

describe('trials', () => {
  const trials = (count: number, seed = 5) => Array.from({ length: count }, (_, n) => trialOf(seed, n, 3));
  const kinds = Object.keys(FAULTS).length * Object.keys(MODES).length * 2;

  test('each fault meets all modes on both stores, then with both changes', () => {
    expect(new Set(trials(64).map(({ fault, mode, store }) => `${fault} ${mode} ${store}`)).size).toBe(kinds);
    const all = trials(128).map(({ fault, mode, store, change }) => `${fault} ${mode} ${store} ${change}`);
    expect(new Set(all).size).toBe(2 * kinds);
  });

  test('are the same for the same seed and number, whatever was run before', () => {
    expect(trialOf(5, 7, 3)).toEqual(trials(32)[7]);
    expect(trialOf(6, 7, 3)).not.toEqual(trialOf(5, 7, 3));
  });

  test('excuse what a boot does only on the host that lost power, and not a full disk', () => {
    expect(losesPower({ fault: 'host-rebooted', host: 1 }, 1)).toBe(true);
    expect(losesPower({ fault: 'host-rebooted', host: 1 }, 0)).toBe(false);
    expect(losesPower({ fault: 'disk-full', host: 1 }, 1)).toBe(false);
    expect(losesPower(undefined, 1)).toBe(false);
  });

  test('mostly begin where the one before them in the same store has ended', () => {
    const mine = trials(64).filter(({ store }) => store === 'sqlite');
    const ends = ({ mode, change }: (typeof mine)[number]) =>
      (mode === 'plan' || mode === 'apply') === (change === 'install') ? 'installed' : 'removed';
    const begins = ({ change }: (typeof mine)[number]) => (change === 'install' ? 'removed' : 'installed');
    for (const [n, trial] of mine.entries())
      if (n > 0 && mine[n - 1] !== undefined) expect(begins(trial)).toBe(ends(mine[n - 1] as typeof trial));
  });
});
