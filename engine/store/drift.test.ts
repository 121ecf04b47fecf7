import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DRIFT_ITEMS_MAX, sharedOut } from './drift.ts';
import { openStore, type Store } from './store.ts';

const items = (host: string, count: number, document = 'Configuration/web') =>
  Array.from({ length: count }, (_, n) => {
    const stepId = `${document} ${n}`;
    return { document, host, stepId, summary: 'motd +1 -1', firstSeenAt: 1_795_000_000_000, traces: [] };
  });

describe('more differences than are kept', () => {
  it('leave a host with few all of them', () => {
    const few = items('web-2', 5);
    const kept = sharedOut([...items('web-1', 100), ...few, ...items('web-3', 100)], 20);
    expect(kept.filter(({ host }) => host === 'web-2')).toEqual(few);
    expect(kept.filter(({ host }) => host === 'web-1')).toHaveLength(8);
    expect(kept.filter(({ host }) => host === 'web-3')).toHaveLength(7);
  });

  it('leave each document of a host some', () => {
    const one = items('web-1', 1, 'Configuration/base');
    const kept = sharedOut([...items('web-1', 100), ...one], 20);
    expect(kept).toEqual([items('web-1', 1)[0], ...one, ...items('web-1', 19).slice(1)]);
  });

  it('are not taken from other hosts by documents that a host invents', () => {
    const invented = Array.from({ length: 100 }, (_, n) => items('web-1', 1, `Configuration/d${n}`)).flat();
    const few = items('web-2', 5);
    const kept = sharedOut([...invented, ...few], 20);
    expect(kept.filter(({ host }) => host === 'web-2')).toEqual(few);
    expect(kept).toHaveLength(20);
  });
});

describe('a store', () => {
  it('keeps what differs on a host, whatever another one invents', async () => {
    await inStore(async ({ drift }) => {
      await drift.replace('o/r', [...items('web-1', DRIFT_ITEMS_MAX), ...items('web-2', 2)]);
      const known = await drift.of('o/r');
      expect(known).toHaveLength(DRIFT_ITEMS_MAX);
      expect(known.filter(({ host }) => host === 'web-2')).toHaveLength(2);
    });
  });

  it('leaves out what PostgreSQL has no index for, and keeps the rest', async () => {
    await inStore(async ({ drift }) => {
      const long = items('web-1', 1).map((item) => ({ ...item, stepId: `file:/${'x'.repeat(4_095)}` }));
      await drift.replace('o/r', [...long, ...items('web-2', 2)]);
      expect((await drift.of('o/r')).map(({ host }) => host)).toEqual(['web-2', 'web-2']);
    });
  });
});

async function inStore(work: (store: Store) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-drift-'));
  const store = await openStore({ file: join(dir, 'store.db') });
  try {
    await work(store);
  } finally {
    await store.close();
    await rm(dir, { recursive: true });
  }
}
