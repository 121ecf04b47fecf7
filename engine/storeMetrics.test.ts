import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { openStore } from './store/store.ts';
import { registerStoreMetrics } from './storeMetrics.ts';

test('a scrape tells of runs, locks and servers as they are, and when the store is gone says just that', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-metrics-'));
  const store = await openStore({ file: join(dir, 'store.sqlite') });
  const registry = new Registry();
  registerStoreMetrics(registry, store, () => Date.now() + 60_000);
  const scrape = async (): Promise<Readonly<Record<string, number>>> => {
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('doaas_'));
    return Object.fromEntries(lines.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]));
  };
  try {
    expect(await scrape()).toEqual({
      doaas_store_up: 1,
      doaas_runs_running: 0,
      doaas_runs_held: 0,
      doaas_locks_waiting: 0,
      doaas_locks_longest_wait_seconds: 0,
      doaas_hosts_needing_recovery: 0,
      doaas_runs_unshown: 0,
      doaas_drift_hosts_unread: 0,
      'doaas_overrides_total{kind="override"}': 0,
      'doaas_overrides_total{kind="break-glass"}': 0,
    });
    const run = { repository: 'acme/infra', pullNumber: 7, planDigest: null, headSha: null, baseSha: null };
    for (const id of ['one', 'two', 'three']) {
      await store.runs.create({ id, ...run, kind: 'apply', actor: 'ann' });
      await store.locks.acquire({
        runId: id,
        workflowId: id,
        hosts: ['10.0.0.1:22 x'],
        pull: 'acme/infra#7',
      });
    }
    await store.runs.update('one', { state: 'held', detail: { unshown: { kind: 'held' } } });
    await store.runs.create({ id: 'dead', ...run, kind: 'apply', actor: 'ann' });
    await store.runs.update('dead', { state: 'needs-recovery' });
    await store.hosts.markNeedsRecovery('10.0.0.2:22 y', 'a test');
    await store.moments.note('swept');
    await store.drift.noteUnread('acme/infra', 2);
    await store.drift.noteRead('acme/infra', Date.now());
    await store.drift.noteRead('acme/other', Date.now() - 3_600_000);
    for (const what of ['override', 'break-glass', 'override', 'apply'])
      await store.audit.append({ who: 'olivia', what });
    const told = await scrape();
    expect(told).toMatchObject({
      doaas_runs_running: 2,
      doaas_runs_held: 1,
      doaas_locks_waiting: 2,
      doaas_hosts_needing_recovery: 1,
      doaas_runs_unshown: 1,
      doaas_drift_hosts_unread: 2,
      'doaas_overrides_total{kind="override"}': 2,
      'doaas_overrides_total{kind="break-glass"}': 1,
    });
    expect(told.doaas_locks_longest_wait_seconds).toBeGreaterThanOrEqual(60);
    expect(told.doaas_sweep_age_seconds).toBeGreaterThanOrEqual(59);
    expect(told.doaas_sweep_age_seconds).toBeLessThan(120);
    expect(told.doaas_drift_age_seconds).toBeGreaterThanOrEqual(3_659);
    expect(told.doaas_drift_age_seconds).toBeLessThan(3_720);
    await store.close();
    expect(await scrape()).toEqual({ doaas_store_up: 0 });
  } finally {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  }
});
