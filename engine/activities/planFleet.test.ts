import { expect, test } from 'vitest';
import { hostPlan } from '../github/render/testing.ts';
import type { Finding } from '../plan/step.ts';
import { problemsOf } from './planFleet.ts';
import type { HostPlanning } from './planning.ts';

const finding = (message: string, severity: Finding['severity'] = 'error'): Finding => {
  return { kind: 'finding', severity, host: 'web-1', document: 'Configuration/web', message };
};
const planned = (findings: readonly Finding[]): HostPlanning => {
  return { kind: 'planned', plan: hostPlan('web-1', [], findings), readings: new Map(), seals: new Map() };
};
const unread = (message: string): HostPlanning => {
  return { kind: 'problem', host: 'db-1', message, away: false, cause: undefined };
};

test('a server has one problem: the errors of its plan, or why there is none', () => {
  const web = planned([finding('no such unit'), finding('it is warm', 'info'), finding('no such user')]);
  expect(problemsOf([web, unread('db-1 says nothing'), planned([])])).toEqual([
    'web-1: no such unit; no such user',
    'db-1 says nothing',
  ]);
});

test('what one server says leaves room for the others', () => {
  const wordy = Array.from({ length: 200 }, () => finding('x'.repeat(4_000)));
  const problems = problemsOf([planned(wordy), unread('y'.repeat(4_000)), unread('db-1 says nothing')]);
  expect(problems).toHaveLength(3);
  expect(Math.max(...problems.map(({ length }) => length))).toBeLessThan(1_100);
});
