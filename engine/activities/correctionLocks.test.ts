import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '../store/store.ts';
import type { Engine } from './engine.ts';
import { acquireLocks, releaseLocks } from './locks.ts';
import { requestActivities } from './requests.ts';
import type { RunRef } from './types.ts';

const HOST = '10.0.0.1:22 SHA256:a';
/** All corrections of a document have it, one after the other. */
const ID = 'correction:acme/infra:Configuration/web';

let dir = '';
let store: Store;
/** Workflows that Temporal does not run any more, and those that were told. */
let dead: readonly string[] = [];
let told: string[] = [];
beforeEach(async () => {
  dead = [];
  told = [];
  dir = await mkdtemp(join(tmpdir(), 'doaas-correction-locks-'));
  store = await openStore({ file: join(dir, 'store.sqlite') });
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

/** In place of a Temporal server, by which the second execution under the id runs. */
function engine(): Engine {
  const describe = async () => ({ status: { name: 'RUNNING' }, runId: 'second' });
  const getHandle = (id: string) => ({
    describe,
    signal: async () => {
      if (dead.includes(id)) throw new WorkflowNotFoundError('already completed', id, undefined);
      told.push(id);
    },
  });
  return {
    store,
    temporal: { workflow: { getHandle } },
    config: {},
    log: { warn: () => undefined },
  } as unknown as Engine;
}

const pull = { repository: { owner: 'acme', name: 'infra', installationId: 1 }, number: 17 };

function correction(run: string): RunRef {
  const host = { name: 'web-1', identity: HOST, site: 'default', digest: '', steps: 1, waves: [0] };
  const plan = { digest: '', headSha: '', baseSha: '', hosts: [host], waves: [0], shownAt: '' };
  return { run, pull, plan, actor: 'doaas', correction: { document: 'Configuration/web' } };
}

const ask = (run: string, execution: string) =>
  asyncLocalStorage.run(
    { info: { workflowExecution: { workflowId: ID, runId: execution } } } as unknown as Context,
    () => acquireLocks(engine(), correction(run), ID),
  );

async function begun(run: string, state: 'running' | 'held'): Promise<void> {
  await store.locks.acquire({ runId: run, workflowId: ID, hosts: [HOST], pull: 'acme/infra#17' });
  const none = { planDigest: null, headSha: null, baseSha: null };
  const kept = { id: run, repository: 'acme/infra', pullNumber: 17, kind: 'correction' as const };
  await store.runs.create({ ...kept, ...none, actor: 'doaas' });
  await store.runs.update(run, { state });
}

const holders = async () => (await store.locks.list()).map(({ runId }) => runId);

test('a correction does not wait for a dead one of the same document, whose id it has', async () => {
  await begun('dc17-dead', 'running');
  expect(await ask('dc17-new', 'second')).toMatchObject({ kind: 'granted' });
  expect(await holders()).toEqual(['dc17-new']);
  // what is left over of the dead one takes nothing from the living
  expect(await ask('dc17-late', 'first')).toMatchObject({ kind: 'waiting', position: 1 });
  expect(await holders()).toEqual(['dc17-new']);
});

test('it waits for one that is held, which a person frees although a later one has its id', async () => {
  await begun('dc17-held', 'held');
  expect(await ask('dc17-new', 'second')).toMatchObject({ kind: 'waiting', position: 1 });
  const { unlock } = requestActivities(engine());
  expect(await unlock(pull, { actor: 'anna' }, 'issue')).toMatch(/`10\.0\.0\.1:22` is free now\. .*stays/);
  expect(await ask('dc17-new', 'second')).toMatchObject({ kind: 'granted' });
});

test('what a living correction holds is not freed; the answer says how to stop it', async () => {
  await begun('dc17-a', 'running');
  const { unlock } = requestActivities(engine());
  expect(await unlock(pull, { actor: 'anna' }, 'issue')).toMatch(
    /living run `dc17-a`; `\/doaas cancel` stops/,
  );
  expect(await holders()).toEqual(['dc17-a']);
});

const waits = (run: string) =>
  store.locks.acquire({ runId: run, workflowId: `w-${run}`, hosts: [HOST], pull: 'acme/infra#1' });
const waiters = async () => (await store.locks.queue()).map(({ runId }) => runId);

test('a release that finds the next ones dead drops them, and tells the one after them at once', async () => {
  for (const run of ['holder', 'one', 'two', 'three']) await waits(run);
  dead = ['w-one', 'w-two'];
  await releaseLocks(engine(), 'holder');
  expect(await waiters()).toEqual(['three']);
  expect(told).toEqual(['w-three']);
});

test('an unlock is answered and passes the server on, though the next one has died waiting', async () => {
  await begun('dc17-held', 'held');
  for (const run of ['one', 'two']) await waits(run);
  dead = ['w-one'];
  expect(await requestActivities(engine()).unlock(pull, { actor: 'anna' }, 'issue')).toMatch(/is free now/);
  expect(await waiters()).toEqual(['two']);
  expect(told).toEqual(['w-two']);
});
