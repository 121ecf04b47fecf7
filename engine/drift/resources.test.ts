import { expect, test } from 'vitest';
import { hostPlan, plan, reload, step } from '../github/render/testing.ts';
import type { Finding } from '../plan/step.ts';
import { byResource, type DriftedItem, differences, merged, unjudged, waiting } from './resources.ts';

function item(given: Partial<DriftedItem>): DriftedItem {
  return {
    document: 'Configuration/web',
    host: 'web-1',
    stepId: 'file:/etc/motd',
    summary: 'motd +1 -1',
    diff: '-a\n+b',
    firstSeenAt: 2000,
    traces: [],
    ...given,
  };
}

test('a reload that follows from a difference is none itself, nor is what a run is changing', () => {
  const whole = plan(hostPlan('web-1', [step(), reload()]), hostPlan('web-2', [step()]));
  expect(differences(whole, new Set(['web-1'])).map((s) => [s.host, s.id])).toEqual([['web-1', step().id]]);
});

test('what is found again keeps the time and the traces of the first reading', () => {
  const before = [item({ firstSeenAt: 1000, traces: ['ann did it'] })];
  expect(merged(before, [item({ diff: 'now' })], new Set(['web-1']))).toEqual([
    item({ diff: 'now', firstSeenAt: 1000, traces: ['ann did it'] }),
  ]);
});

test('what is gone from a server that was read is gone; a server that was not read keeps what was known', () => {
  const before = [item({ host: 'web-1' }), item({ host: 'web-2' })];
  expect(merged(before, [], new Set(['web-1']))).toEqual([item({ host: 'web-2' })]);
});

test('what a server says twice is one difference', () => {
  const other = item({ stepId: 'file:/etc/issue' });
  expect(merged([], [item({}), other, item({})], new Set(['web-1']))).toEqual([item({}), other]);
});

const finding = (severity: 'error' | 'warning', document: string, message = 'apt fails'): Finding => {
  return { kind: 'finding', host: 'web-1', document, severity, message };
};

test('an error of a document on a server keeps what was known of it there, and of nothing else', () => {
  const whole = plan(hostPlan('web-1', [], [finding('error', 'PatchPolicy/security')]));
  const known = item({ document: 'PatchPolicy/security', stepId: 'updates' });
  const error = item({ document: 'PatchPolicy/security', stepId: 'finding:apt failed otherwise' });
  const before = [item({}), known, error];
  expect(merged(before, [], new Set(['web-1']), unjudged(whole))).toEqual([known]);
  const again = { ...known, summary: 'now', firstSeenAt: 3000 };
  expect(merged(before, [again], new Set(['web-1']), unjudged(whole))).toEqual([
    { ...again, firstSeenAt: known.firstSeenAt },
  ]);
  const other = plan(hostPlan('web-2', [], [{ ...finding('error', 'PatchPolicy/security'), host: 'web-2' }]));
  expect(merged(before, [], new Set(['web-1']), unjudged(other))).toEqual([]);
});

test('errors and what waits for a person are outstanding where work comes up by itself; remarks are not', () => {
  const findings = [
    finding('error', 'PatchPolicy/security'),
    { ...finding('warning', 'PatchPolicy/security', 'kept back: nginx'), waits: true } as const,
    finding('warning', 'PatchPolicy/security', 'the lists are old'),
    finding('error', 'Configuration/web'),
  ];
  const whole = plan(hostPlan('web-1', [], findings));
  const ongoing = (document: string) => document.startsWith('PatchPolicy/');
  const found = waiting(whole, new Set(['web-1']), ongoing);
  expect(found.map(({ summary }) => summary)).toEqual(['apt fails', 'kept back: nginx']);
  expect(new Set(found.map(({ stepId }) => stepId)).size).toBe(2);
  expect(waiting(whole, new Set(), ongoing)).toEqual([]);
});

test('one resource a document, by name', () => {
  const items = [item({ document: 'b' }), item({ document: 'a' }), item({ document: 'b', host: 'x' })];
  expect(byResource(items).map((r) => [r.document, r.items.length])).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});
