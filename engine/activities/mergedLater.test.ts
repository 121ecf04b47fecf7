import { expect, test } from 'vitest';
import type { OwnedItem } from '../facts/owned.ts';
import type { Engine } from './engine.ts';
import { mergedAfter } from './mergedLater.ts';
import type { RepositoryRef } from './types.ts';

const BASE = 'b'.repeat(40);
const LATER = 'c'.repeat(40);
const BEFORE = 'a'.repeat(40);

const looked: string[] = [];

/** `pr1` was merged after the base, `pr2` is in its history, `pr3` was never merged, of `pr4` nothing is known. */
const engine = {
  store: {
    runs: {
      get: async (run: string) => {
        looked.push(run);
        return { pr1: { mergeSha: LATER }, pr2: { mergeSha: BEFORE }, pr3: { mergeSha: null } }[run];
      },
    },
  },
  revisions: {
    contains: async (_: RepositoryRef, commit: string, earlier: string) =>
      commit === BASE && earlier === BEFORE,
  },
} as unknown as Pick<Engine, 'store' | 'revisions'>;

const owned = (run: string): OwnedItem => ({ item: `file:/etc/${run}`, run }) as unknown as OwnedItem;

test('only what a run left that was merged after the commit is not abandoned', async () => {
  const mergedLater = mergedAfter(engine, {} as RepositoryRef, BASE);
  const batches = ['pr1-w0', 'pr1-w1', 'pr2-w0', 'pr3-w0', 'pr4-w0', 'odd'];
  expect(await mergedLater(batches.map(owned))).toEqual(['pr1']);
  expect(await mergedLater([])).toEqual([]);
  expect(await mergedLater([owned('pr1-w2')])).toEqual(['pr1']);
  expect(looked).toEqual(['pr1', 'pr2', 'pr3', 'pr4']);
});
