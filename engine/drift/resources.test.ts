import { expect, test } from 'vitest';
import { hostPlan, plan, reload, step } from '../github/render/testing.ts';
import { byResource, type DriftedItem, differences, merged } from './resources.ts';

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

test('one resource a document, by name', () => {
  const items = [item({ document: 'b' }), item({ document: 'a' }), item({ document: 'b', host: 'x' })];
  expect(byResource(items).map((r) => [r.document, r.items.length])).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});
