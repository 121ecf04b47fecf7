import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { verifyReceipts } from '../store/auditReceipts.ts';
import { receiptsDigest } from '../store/receiptsDigest.ts';
import type { RunKind, RunState } from '../store/runs.ts';
import { openStore, type Store } from '../store/store.ts';
import { someReceipt } from '../store/testing/some.ts';
import { clearQuiet, endDeadRuns, mayLive } from './deadRuns.ts';
import type { Engine } from './engine.ts';
import type { RunDetail } from './runViews.ts';

const HOST = '10.0.0.1:22 SHA256:a';
const OTHER = '10.0.0.2:22 SHA256:b';

let dir = '';
let store: Store;
/** Workflows that Temporal runs; undefined: it does not answer. */
let living: readonly string[] | undefined;
let told: string[] = [];
beforeEach(async () => {
  living = [];
  told = [];
  dir = await mkdtemp(join(tmpdir(), 'doaas-dead-runs-'));
  store = await openStore({ file: join(dir, 'store.sqlite') });
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

/** In place of a Temporal server. */
function engine(): Engine {
  const getHandle = (id: string) => ({
    describe: async () => {
      if (living === undefined) throw new Error('no answer');
      if (!living.includes(id)) throw new WorkflowNotFoundError('unknown', id, undefined);
      return { status: { name: 'RUNNING' } };
    },
    signal: async () => void told.push(id),
  });
  return {
    store,
    temporal: { workflow: { getHandle } },
    config: {},
    log: { warn: () => undefined },
  } as unknown as Engine;
}

/** `ref`: it is known well enough to be shown. `undoes`: the run that it takes back. */
async function begun(
  id: string,
  state: RunState,
  kind: RunKind = 'apply',
  ref: 'ref' | 'no-ref' = 'no-ref',
  undoes?: string,
): Promise<void> {
  const none = { planDigest: null, headSha: 'a'.repeat(40), baseSha: null };
  const pull = { repository: { owner: 'acme', name: 'infra', installationId: 1 }, number: 7 };
  const detail =
    ref === 'ref' ? { ref: { run: id, pull, plan: { hosts: [] }, ...(undoes && { undoes }) } } : {};
  const run = { id, repository: 'acme/infra', pullNumber: 7, kind, ...none, actor: 'anna', detail };
  await store.runs.create(run);
  await store.runs.update(id, { state });
}
const takes = (runId: string, workflowId: string, hosts: readonly string[]) =>
  store.locks.acquire({ runId, workflowId, hosts, pull: 'acme/infra#7' });
const holders = async () => (await store.locks.list()).map(({ runId }) => runId);
const stateOf = async (id: string) => (await store.runs.get(id))?.state;
const detailOf = async (id: string) => (await store.runs.get(id))?.detail as RunDetail;
const needing = async () => (await store.hosts.needRecovery()).map(({ identity }) => identity);

test('the dead lose what they hold, whose servers need recovery, and who waits is told; the living and the held keep theirs', async () => {
  for (const [id, state, hosts] of [
    ['dead', 'running', [HOST]],
    ['alive', 'running', [OTHER]],
    ['held', 'held', ['10.0.0.3:22 SHA256:c']],
  ] as const) {
    await begun(id, state);
    await takes(id, `w-${id}`, hosts);
  }
  await takes('next', 'w-next', [HOST]);
  living = ['w-alive', 'w-next'];
  await endDeadRuns(engine());
  expect((await holders()).sort()).toEqual(['alive', 'held']);
  expect(await needing()).toEqual([HOST]);
  expect(told).toEqual(['w-next']);
  expect(await Promise.all(['dead', 'alive', 'held'].map(stateOf))).toEqual([
    'needs-recovery',
    'running',
    'held',
  ]);
});

test('those that are held do not keep the sweep from the dead, however many they are', async () => {
  for (let n = 1; n <= 20; n += 1) {
    await begun(`held-${n}`, 'held');
    await takes(`held-${n}`, `w-held-${n}`, [`10.0.1.${n}:22 SHA256:h${n}`]);
  }
  await begun('dead', 'running');
  await takes('dead', 'w-dead', [HOST]);
  await endDeadRuns(engine());
  expect([(await holders()).length, await needing(), await stateOf('dead')]).toEqual([
    20,
    [HOST],
    'needs-recovery',
  ]);
});

test('what had ended, and died before it gave its servers back, leaves nothing to recover', async () => {
  await begun('done', 'applied');
  await takes('done', 'w-done', [HOST]);
  await endDeadRuns(engine());
  expect([await holders(), await needing(), await stateOf('done')]).toEqual([[], [], 'applied']);
});

test('of corrections of one document only the newest can be the one that lives under their id', async () => {
  await begun('dc1-old', 'running', 'correction');
  await takes('dc1-old', 'correction:web', [HOST]);
  await takes('dc1-new', 'correction:web', [HOST, OTHER]);
  living = ['correction:web'];
  await endDeadRuns(engine());
  expect(await holders()).toEqual([]);
  expect(told).toEqual(['correction:web']);
  expect((await store.locks.queue()).map(({ runId }) => runId)).toEqual(['dc1-new']);
});

test('a run without servers, as they were taken from it, is dead where its workflow is, and else left alone', async () => {
  for (const id of ['pr7-dead', 'pr7-alive']) await begun(id, 'running');
  await begun('rb7-alive', 'running', 'rollback');
  living = [`deployment:pr7-alive:${'a'.repeat(12)}`, 'rollback:rb7-alive'];
  await endDeadRuns(engine());
  expect(await Promise.all(['pr7-dead', 'pr7-alive', 'rb7-alive'].map(stateOf))).toEqual([
    'needs-recovery',
    'running',
    'running',
  ]);
});

test('where Temporal does not answer, nobody is taken for dead', async () => {
  await begun('dead', 'running');
  await takes('dead', 'w-dead', [HOST]);
  living = undefined;
  await expect(endDeadRuns(engine())).rejects.toThrow('no answer');
  expect(await holders()).toEqual(['dead']);
});

test('a server on which a dead run turns out to have left nothing needs no recovery, once nothing can come any more', async () => {
  await begun('dead', 'needs-recovery');
  for (const host of [HOST, OTHER]) await store.hosts.markNeedsRecovery(host, 'a test');
  await store.receipts.save([
    {
      runId: 'dead',
      host: 'web-1',
      hostIdentity: HOST,
      stepId: 'file:/etc/motd',
      state: 'captured',
      beforeHash: null,
      afterHash: null,
      detail: null,
    },
  ]);
  await clearQuiet(store, Date.now());
  expect(await needing()).toEqual([HOST, OTHER]);
  await clearQuiet(store, Date.now() + 60_000);
  expect(await needing()).toEqual([HOST]);
});

test('a server on which a batch may have begun is asked first, however long nothing is heard of its steps', async () => {
  await begun('dead', 'needs-recovery');
  await store.hosts.markNeedsRecovery(HOST, 'a test');
  const whole = { beforeHash: null, afterHash: null, detail: null };
  const batch = { runId: 'dead', host: 'web-1', hostIdentity: HOST, stepId: '@begin:0', ...whole };
  await store.receipts.save([{ ...batch, state: 'unknown' }]);
  await clearQuiet(store, Date.now() + 60_000);
  expect(await needing()).toEqual([HOST]);
  await store.receipts.save([{ ...batch, state: 'undone' }]);
  await clearQuiet(store, Date.now() + 60_000);
  expect(await needing()).toEqual([]);
});

test('a dead run that has ended is to be shown, though its engine dies before that; what takes a change back shows nothing', async () => {
  await begun('left', 'needs-recovery', 'apply', 'ref');
  await takes('holder', 'w-holder', [HOST]);
  for (const [id, kind] of [
    ['waits', 'apply'],
    ['takes-back', 'rollback'],
  ] as const) {
    await begun(id, 'running', kind, 'ref');
    await takes(id, `w-${id}`, [HOST]);
  }
  living = ['w-holder'];
  const dying = engine();
  const update: Store['runs']['update'] = async (id, change, entry) => {
    if (change.state === undefined) throw new Error('it died');
    await store.runs.update(id, change, entry);
  };
  await endDeadRuns({ ...dying, store: { ...store, runs: { ...store.runs, update } } });
  const ids = ['left', 'waits', 'takes-back'];
  expect(await Promise.all(ids.map(stateOf))).toEqual(['cancelled', 'cancelled', 'cancelled']);
  const unshown = (await Promise.all(ids.map(detailOf))).map((detail) => detail.unshown?.kind);
  expect(unshown).toEqual(['stale', 'stale', undefined]);
  expect((await store.runs.unshown('acme/infra')).map(({ id }) => id)).toEqual(['left', 'waits']);
  const audited = (await store.audit.list({ repository: 'acme/infra', pull: 7 })).map(({ what }) => what);
  expect(audited.sort()).toEqual(['drop-waiter', 'drop-waiter', 'end-dead']);
});

test('what takes a merged change back and dies while it waits leaves the check of what was applied as it is', async () => {
  await begun('takes-back', 'running', 'rollback', 'ref');
  await takes('holder', 'w-holder', [HOST]);
  await takes('takes-back', 'w-takes-back', [HOST]);
  living = ['w-holder'];
  await endDeadRuns(engine());
  expect(await stateOf('takes-back')).toBe('cancelled');
  expect((await detailOf('takes-back')).phase).toBeUndefined();
});

test('what takes a merged change back and dies at it vouches for the receipts of that change, as far as it came', async () => {
  await begun('applied', 'applied');
  const receipt = someReceipt('applied', 'file:/etc/motd', HOST);
  await store.receipts.save([{ ...receipt, state: 'done' }]);
  const place = { who: 'anna', repository: 'acme/infra', pull: 7 };
  const detail = { run: 'applied', receiptsDigest: receiptsDigest(await store.receipts.ofRun('applied')) };
  await store.audit.append({ ...place, what: 'applied', detail });

  await begun('takes-back', 'running', 'rollback', 'ref', 'applied');
  await store.audit.append({ ...place, what: 'rollback', detail: { run: 'takes-back', of: 'applied' } });
  await takes('takes-back', 'w-takes-back', [HOST]);
  await store.receipts.save([{ ...receipt, state: 'undone' }]);
  await endDeadRuns(engine());
  expect(await stateOf('takes-back')).toBe('failed');
  expect(await verifyReceipts(store)).toEqual({ runs: 1, edited: [] });
});

test('which of the runs under one workflow can be the living one is told by fences and places, not by clocks', () => {
  const run = (runId: string, order: number, waits: boolean, hosts: readonly string[]) => {
    return { runId, workflowId: 'correction:web', order, waits, hosts };
  };
  const living = (...all: Parameters<typeof mayLive>[0]) => [...mayLive(all)].sort();
  expect(living(run('new', 8, false, [OTHER]), run('old', 7, false, [HOST]))).toEqual(['new']);
  expect(living(run('new', 2, true, [HOST]), run('old', 1, true, [HOST]))).toEqual(['new']);
  // numbers of different sorts say nothing
  expect(living(run('holds', 9_000, false, [HOST]), run('waits', 1, true, [HOST, OTHER]))).toEqual(['waits']);
  expect(living(run('holds', 9_000, false, [OTHER]), run('waits', 1, true, [HOST]))).toEqual([
    'holds',
    'waits',
  ]);
});
