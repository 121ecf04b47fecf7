import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunState } from '../store/runs.ts';
import { openStore, type Store } from '../store/store.ts';
import { someRun } from '../store/testing/some.ts';
import { busyHosts } from './notJudged.ts';

let dir: string;
let store: Store;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-busy-'));
  store = await openStore({ file: join(dir, 'store.db') });
});
afterAll(async () => {
  await store?.close();
  await rm(dir, { recursive: true });
});

test('servers of a run are busy, as long as it is not dead; those of another repository are others', async () => {
  const begin = async (repository: string, name: string, state: RunState) => {
    const run = { ...someRun(), repository, detail: { ref: { plan: { hosts: [{ name }] } } } };
    await store.runs.create(run);
    await store.runs.update(run.id, { state });
  };
  await begin('acme/shop', 'web-1', 'running');
  await begin('acme/shop', 'web-2', 'needs-recovery');
  await begin('acme/shop', 'web-3', 'applied');
  await begin('acme/other', 'web-4', 'running');
  await store.runs.create({ ...someRun(), repository: 'acme/shop' });
  expect(await busyHosts({ store }, 'acme/shop', Date.now() - 60_000)).toEqual(new Set(['web-1', 'web-3']));
  expect(await busyHosts({ store }, 'acme/shop', Date.now() + 60_000)).toEqual(new Set(['web-1']));
});
