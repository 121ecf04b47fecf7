import { randomBytes, randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { RUN_HOST_MAX_BYTES } from './runHosts.ts';
import type { Store } from './store.ts';
import { someRun } from './testing/some.ts';

export function runHostsSuite(store: () => Store): void {
  it('keeps what a run needs of its hosts and their contents, until the run is over and old', async () => {
    const { runHosts, runs, blobs, plans } = store();
    const [over, open] = [someRun(), someRun()];
    for (const run of [over, open]) await runs.create(run);
    const digest = randomUUID();
    const use = { repository: over.repository, number: 5, headSha: 'h', baseSha: 'b' };
    await plans.save({ kind: 'plan', digest, hosts: [] }, use);
    const payloads = await blobs.put([randomBytes(9)]);
    const hosts = [
      { host: 'one', body: { merged: ['é\0'] } },
      { host: 'two', body: [] },
    ];
    await runHosts.save({ runId: over.id, digest, hosts: [{ host: 'three', body: 1 }], payloads });
    for (const { id: runId } of [over, open]) await runHosts.save({ runId, digest, hosts, payloads });
    expect(await runHosts.of(over.id)).toEqual(expect.arrayContaining(hosts));
    expect(await runHosts.of(over.id)).toHaveLength(2);
    expect(await runHosts.of(over.id, 'one')).toEqual(hosts.slice(0, 1));
    expect(await runHosts.of(over.id, 'three')).toEqual([]);
    expect(await plans.payloadsOf(digest)).toEqual(payloads);

    await runs.update(over.id, { state: 'applied' });
    await runHosts.prune(Date.now() - 60_000);
    expect(await runHosts.of(over.id)).toHaveLength(2);
    expect(await runHosts.prune(Date.now() + 1)).toBeGreaterThanOrEqual(2);
    expect([await runHosts.of(over.id), (await runHosts.of(open.id)).length]).toEqual([[], 2]);
    await runs.update(open.id, { state: 'failed' });
  });

  it('refuses what is over the bound, and keeps nothing of it', async () => {
    const runId = randomUUID();
    const large = { host: 'large', body: 'x'.repeat(RUN_HOST_MAX_BYTES) };
    const saved = store().runHosts.save({
      runId,
      digest: 'd',
      hosts: [{ host: 'one', body: 1 }, large],
      payloads: [],
    });
    await expect(saved).rejects.toMatchObject({ type: 'store-bound' });
    expect(await store().runHosts.of(runId)).toEqual([]);
  });
}
