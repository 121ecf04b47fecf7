import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '../store/store.ts';
import type { Engine } from './engine.ts';
import { showUnshown } from './unshown.ts';

const REPOSITORY = { owner: 'acme', name: 'infra', installationId: 1 };

let dir = '';
let store: Store;
let now = Date.parse('2026-11-27T10:00:00Z');
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-unshown-'));
  store = await openStore({ file: join(dir, 'store.sqlite') }, { now: () => now });
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

/** A run that ended as `held` while GitHub would not have it shown. `pull`: null, of a correction. */
async function untold(id: string, pull: number | null): Promise<void> {
  now += 60_000;
  const ref = { run: id, pull: { repository: REPOSITORY, number: pull ?? 0 }, plan: { hosts: [] } };
  const none = { planDigest: null, headSha: 'a'.repeat(40), baseSha: null };
  const detail = { ref, unshown: { kind: 'held' } };
  const of = { repository: 'acme/infra', pullNumber: pull, kind: 'apply' as const };
  await store.runs.create({ id, ...of, ...none, actor: 'anna', detail });
  await store.runs.update(id, { state: 'held' });
}

test('an end is not shown over that of a newer run of its pull request, and not tried again', async () => {
  await untold('old', 7);
  await untold('other', 8);
  await untold('new', 7);
  await untold('correction', null);
  const tried: unknown[] = [];
  // without GitHub nothing can be shown, which is told with the run's name
  const log = { warn: ({ run }: { readonly run: unknown }) => tried.push(run) };
  await showUnshown({ store, log } as unknown as Engine, REPOSITORY);
  expect(tried).toEqual(['other', 'new', 'correction']);
  expect(await store.runs.unshown('acme/infra')).toEqual([]);
});
