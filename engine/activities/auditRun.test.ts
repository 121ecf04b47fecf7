import { expect, test } from 'vitest';
import type { StoredReceipt } from '../store/receipts.ts';
import { entryOf, receiptsNamed, toldIn } from './auditRun.ts';
import type { RunRef } from './types.ts';

const run = {
  run: 'pr1-1',
  actor: 'ann',
  pull: { repository: { owner: 'acme', name: 'infra' }, number: 1 },
  plan: { headSha: 'h', digest: 'd', hosts: [] },
} as unknown as RunRef;

test('what is tried again is the same entry, what is done again another', () => {
  const keyOf = (turn?: string) => entryOf(run, 'confirm', {}, turn).key;
  expect(keyOf('3')).toBe(keyOf('3'));
  expect(keyOf('9')).not.toBe(keyOf('3'));
  expect(entryOf(run, 'apply').key).not.toBe(entryOf(run, 'applied').key);
});

test('what the effects did is kept with the end of a run, within bounds, and is no step', () => {
  const receipt = (host: string, stepId: string, remarks: readonly string[]) =>
    ({ host, stepId, state: 'already', detail: { remarks } }) as unknown as StoredReceipt;
  const told = receipt('web-1', '@told:0', ['restarted nginx.service', 'x'.repeat(2_000)]);
  const receipts = [receipt('web-1', 'patch:restart', []), told, receipt('web-1', '@undo:0', ['moved'])];
  const { told: kept } = toldIn(receipts);
  expect(kept).toEqual(['web-1: restarted nginx.service', `web-1: ${'x'.repeat(493)}`]);
  expect(receiptsNamed(receipts).receipts).toEqual({ already: 2 });
  expect(toldIn(receipts.slice(0, 1))).toEqual({});
  const many = Array.from({ length: 100 }, (_, i) => receipt(`web-${i}`, '@told:0', ['rebooted']));
  expect(toldIn(many).told).toHaveLength(41);
  expect((toldIn(many).told as readonly string[]).at(-1)).toBe('and 60 more');
});
