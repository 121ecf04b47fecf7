import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '../store/store.ts';
import { isLeftElsewhere } from './locks.ts';

let dir = '';
let store: Store;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-recovery-'));
  store = await openStore({ file: join(dir, 'store.sqlite') });
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const HOSTS = ['10.0.0.1:22 SHA256:a', '10.0.0.2:22 SHA256:b'] as const;

async function deadRun(): Promise<Parameters<typeof isLeftElsewhere>[1]> {
  const run = { repository: 'acme/infra', pullNumber: 7, planDigest: null, headSha: null, baseSha: null };
  await store.runs.create({ id: 'pr7-a', ...run, kind: 'apply', actor: 'ann' });
  await store.runs.update('pr7-a', { state: 'running' });
  await store.locks.acquire({ runId: 'pr7-a', workflowId: 'w', hosts: [...HOSTS], pull: 'acme/infra#7' });
  for (const hostIdentity of HOSTS)
    await store.receipts.save([
      {
        runId: 'pr7-a',
        host: hostIdentity,
        hostIdentity,
        stepId: 'file:/etc/motd',
        state: 'done',
        beforeHash: null,
        afterHash: null,
        detail: null,
      },
    ]);
  const hosts = HOSTS.map((identity) => ({
    name: identity,
    identity,
    site: 'default',
    digest: '',
    steps: 1,
    waves: [0],
  }));
  const plan = { digest: '', headSha: '', baseSha: '', hosts, waves: [0], shownAt: '' };
  return { run: 'pr7-a', plan };
}

test('a dead run has not ended before each of its hosts was taken care of', async () => {
  const dead = await deadRun();
  const [first, second] = HOSTS;
  expect(await isLeftElsewhere(store, dead)).toBe(true);
  // somebody needs the first, and undoes what is there
  await store.locks.forceRelease({ host: first, runId: dead.run }, 'doaas');
  await store.hosts.clearNeedsRecovery(first);
  expect(await isLeftElsewhere(store, dead)).toBe(true);
  // later somebody needs the second
  await store.locks.forceRelease({ host: second, runId: dead.run }, 'doaas');
  expect(await isLeftElsewhere(store, dead)).toBe(true);
  expect(await store.receipts.open(second)).toHaveLength(1);
  await store.hosts.clearNeedsRecovery(second);
  expect(await isLeftElsewhere(store, dead)).toBe(false);
});
