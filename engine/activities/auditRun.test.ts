import { expect, test } from 'vitest';
import { entryOf } from './auditRun.ts';
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
