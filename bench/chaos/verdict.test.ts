import { describe, expect, test } from 'vitest';
import type { CheckRun } from '../../test/world.ts';
import type { Counted } from './change.ts';
import { FAULTS, trialOf } from './trial.ts';
import { judge, type Observed, type Reference } from './verdict.ts';

const wanted = { name: 'run-1', packaged: true };
const before: Counted = {
  applied: 0,
  undone: 0,
  starts: 4,
  transactions: 2,
  content: 'run-0',
  packaged: false,
  active: true,
};
const after: Counted = {
  ...before,
  applied: 1,
  starts: 5,
  transactions: 3,
  content: 'run-1',
  packaged: true,
};
const reference: Reference = {
  paths: new Set(['/etc/chaos.conf']),
  applied: { starts: 1, transactions: 1 },
  rolledBack: { starts: 2, transactions: 2 },
};
const check = (name: string, conclusion: string, title: string): CheckRun => ({
  id: 1,
  name,
  status: 'completed',
  conclusion,
  title,
  summary: '',
});
const applied: Observed = {
  ended: 'applied',
  merged: true,
  checks: [
    check('doaas/apply', 'success', 'Applied 4 changes on 3 servers'),
    check('doaas/verify', 'success', 'Verified'),
  ],
  locks: [],
  hosts: [{ name: 'a', hit: false, before, after, differing: ['/etc/chaos.conf'] }],
};
const host = (change: object) => ({ ...applied, hosts: [{ ...applied.hosts[0], ...change }] }) as Observed;
const verdict = (seen: Observed, mode: 'apply' | 'rollback' = 'apply') =>
  judge({ mode }, wanted, seen, reference);

describe('a run', () => {
  test('that did all once, and says so, has survived', () => {
    expect(verdict(applied)).toEqual({ survived: true, duplicated: [], lost: [], locks: [], wrong: [] });
  });

  test('that put all back, and says so, has survived', () => {
    const back: Observed = {
      ...applied,
      ended: 'rolled-back',
      merged: false,
      checks: [check('doaas/apply', 'failure', 'Probe x failed on a; 3 servers restored as before')],
      hosts: [
        {
          name: 'a',
          hit: false,
          before,
          after: { ...before, applied: 1, undone: 1, starts: 6, transactions: 4 },
          differing: [],
        },
      ],
    };
    expect(verdict(back, 'rollback').survived).toBe(true);
    expect(verdict({ ...back, merged: true }, 'rollback').wrong).toEqual(['rolled back and merged']);
  });

  test.each<readonly [string, Observed, keyof ReturnType<typeof verdict>]>([
    ['an effect twice', host({ after: { ...after, applied: 2, undone: 1 } }), 'duplicated'],
    ['a service started twice', host({ after: { ...after, starts: 6 } }), 'duplicated'],
    ['a package installed twice', host({ after: { ...after, transactions: 4 } }), 'duplicated'],
    ['an effect undone', host({ after: { ...after, undone: 1 } }), 'lost'],
    ['the old file', host({ after: { ...after, content: 'run-0' } }), 'lost'],
    ['no package', host({ after: { ...after, packaged: false } }), 'lost'],
    ['a path that no other run changes', host({ differing: ['/etc/passwd'] }), 'lost'],
    ['a lock', { ...applied, locks: ['a is locked'] }, 'locks'],
    ['no merge', { ...applied, merged: false }, 'wrong'],
    [
      'a check that is open',
      { ...applied, checks: [...applied.checks, { ...check('doaas/plan', '', ''), status: 'in_progress' }] },
      'wrong',
    ],
    [
      'a check that says something else',
      { ...applied, checks: [check('doaas/apply', 'failure', 'x'), check('doaas/verify', 'success', '')] },
      'wrong',
    ],
  ])('that left %s has not', (_, seen, where) => {
    const judged = verdict(seen);
    expect(judged.survived).toBe(false);
    expect(judged[where]).not.toHaveLength(0);
  });

  test('whose host lost power may have started the service at boot', () => {
    expect(verdict(host({ hit: true, after: { ...after, starts: 6 } })).survived).toBe(true);
  });

  test('that did nothing, and says so, has survived; one that did something has not', () => {
    const stale: Observed = {
      ...applied,
      ended: 'rolled-back',
      merged: false,
      checks: [check('doaas/apply', 'neutral', 'Not applied: the plan no longer holds')],
      hosts: [{ name: 'a', hit: true, before, after: before, differing: [] }],
    };
    expect(verdict(stale).survived).toBe(true);
    const touched = { ...before, applied: 1, undone: 1 };
    const did = { name: 'a', hit: true, before, after: touched, differing: [] };
    expect(verdict({ ...stale, hosts: [did] }).wrong).toHaveLength(1);
  });

  test('that ended as neither has not survived', () => {
    expect(verdict({ ...applied, ended: 'neither' }).survived).toBe(false);
  });
});

test('every fault meets both modes and both stores, the same for the same seed', () => {
  const trials = Array.from({ length: 32 }, (_, n) => trialOf(5, n, 3));
  expect(new Set(trials.map(({ fault, mode, store }) => `${fault} ${mode} ${store}`)).size).toBe(
    Object.keys(FAULTS).length * 4,
  );
  expect(trialOf(5, 7, 3)).toEqual(trials[7]);
  expect(trialOf(6, 7, 3)).not.toEqual(trials[7]);
});
