import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Waiter } from './lock-order.ts';
import type { Store } from './store.ts';
import { someReceipt, someRun } from './testing/some.ts';

export function locksSuite(store: () => Store): void {
  const ask = (runId: string, ...hosts: string[]) =>
    store().locks.acquire({ runId, workflowId: `w-${runId}`, hosts, pull: `o/r#${runId}` });
  const askFirst = (runId: string, ...hosts: string[]) =>
    store().locks.acquire({ runId, workflowId: `w-${runId}`, hosts, pull: `o/r#${runId}`, urgent: true });

  it('gives all hosts or none, in the order of asking', async () => {
    const [x, y, z] = hostNames();
    const [one, two, three, four] = runNames();
    const first = await ask(one, x, y);
    expect(first).toMatchObject({ kind: 'granted' });
    expect(await ask(one, y, x)).toEqual(first);
    const waiting = {
      kind: 'waiting',
      position: 1,
      holders: [{ host: y, runId: one, workflowId: `w-${one}`, pull: `o/r#${one}` }],
      ahead: [],
    };
    expect(await ask(two, y, z)).toEqual(waiting);
    expect(await ask(two, y, z)).toEqual(waiting);
    // z is free, but the waiter before wants it too.
    expect(await ask(three, z)).toMatchObject({ position: 2, holders: [], ahead: [{ runId: two }] });
    expect(await ask(four, hostNames()[0])).toMatchObject({ kind: 'granted' });
    expect((await store().locks.release(one)).next).toEqual([{ runId: two, workflowId: `w-${two}` }]);
    expect(await ask(three, z)).toMatchObject({ kind: 'waiting' });
    const second = await ask(two, y, z);
    expect(second.kind === 'granted' && first.kind === 'granted' && second.fence > first.fence).toBe(true);
    expect((await store().locks.heldBy(two)).map((lock) => lock.host)).toEqual([y, z].toSorted());
    expect((await store().locks.release(two)).next.map((n) => n.runId)).toEqual([three]);
    expect((await store().locks.release(three)).next).toEqual([]);
    await store().locks.release(four);
  });

  it('lets what takes a change back go before what brings one', async () => {
    const [x, y, z] = hostNames();
    const [holder, apply, rollback, later] = runNames();
    await ask(holder, x);
    expect(await ask(apply, x, y)).toMatchObject({ position: 1 });
    expect(await ask(later, y)).toMatchObject({ position: 2, ahead: [{ runId: apply }] });
    expect(await askFirst(rollback, x, z)).toMatchObject({ position: 1, holders: [{ runId: holder }] });
    expect(await ask(apply, x, y)).toMatchObject({ position: 2, ahead: [{ runId: rollback }] });
    // the rollback shares no host with it, and still only the apply is before it
    expect(await ask(later, y)).toMatchObject({ position: 2, ahead: [{ runId: apply }] });
    const mine = [apply, rollback, later];
    const queue = (await store().locks.queue()).filter(({ runId }) => mine.includes(runId));
    expect(queue.map(({ runId }) => runId)).toEqual([rollback, apply, later]);
    expect((await store().locks.release(holder)).next.map((n) => n.runId)).toEqual([rollback]);
    expect(await ask(apply, x, y)).toMatchObject({ position: 2, holders: [] });
    expect(await askFirst(rollback, x, z)).toMatchObject({ kind: 'granted' });
    expect(await ask(apply, x, y)).toMatchObject({ position: 1, holders: [{ runId: rollback }] });
    for (const run of [rollback, apply, later]) await store().locks.release(run);
  });

  it('keeps members of one unit apart, also of runs that share no host', async () => {
    const [x, y, z] = hostNames();
    const [one, two, three, other] = runNames();
    const unit = `o/r cluster: ${x}`;
    const member = (runId: string, ...hosts: string[]) => {
      const units = Object.fromEntries(hosts.map((host) => [host, [unit]]));
      return store().locks.acquire({ runId, workflowId: `w-${runId}`, hosts, units, pull: `o/r#${runId}` });
    };
    expect(await member(one, x, y)).toMatchObject({ kind: 'granted' });
    expect((await store().locks.heldBy(one)).map(({ units }) => units)).toEqual([[unit], [unit]]);
    expect(await member(two, z)).toMatchObject({ position: 1, holders: [{ runId: one }, { runId: one }] });
    expect(await member(three, `${z}-more`)).toMatchObject({ position: 2, ahead: [{ runId: two }] });
    // it names no unit, and the host is free
    expect(await ask(other, `${z}-other`)).toMatchObject({ kind: 'granted' });
    const given = await store().locks.forceRelease({ host: x, runId: one }, 'doaas');
    expect(given.next).toEqual([]);
    expect((await store().locks.release(one)).next.map((n) => n.runId)).toEqual([two]);
    expect(await member(two, z)).toMatchObject({ kind: 'granted' });
    expect((await store().locks.release(two)).next.map((n) => n.runId)).toEqual([three]);
    for (const run of [three, other]) await store().locks.release(run);
  });

  it('serves those that take changes back in the order of asking', async () => {
    const [x] = hostNames();
    const [holder, one, two] = runNames();
    await ask(holder, x);
    await askFirst(one, x);
    expect(await askFirst(two, x)).toMatchObject({ position: 2, ahead: [{ runId: one }] });
    expect(await askFirst(one, x)).toMatchObject({ position: 1, ahead: [] });
    for (const run of [holder, one, two]) await store().locks.release(run);
  });

  it('numbers each holder higher than the one before, for the hosts to compare', async () => {
    const [x, y] = hostNames();
    const [one, two] = runNames();
    expect(await store().locks.fenceOf(one, x)).toBeUndefined();
    const before = Date.now();
    await ask(one, x, y);
    const first = await store().locks.fenceOf(one, x);
    expect(first?.store).toMatch(/^[1-9][0-9]{0,14}$/);
    expect(await store().locks.fenceOf(one, y)).toEqual(first);
    expect([...(await store().locks.fencesOf(one)).keys()].toSorted()).toEqual([x, y].toSorted());
    await store().locks.release(one);
    expect(await store().locks.fenceOf(one, x)).toBeUndefined();
    await ask(two, y);
    const second = await store().locks.fenceOf(two, y);
    expect(second?.store).toBe(first?.store);
    expect(second?.number).toBeGreaterThan(first?.number ?? 0);
    // above all that a store had shown before it was restored from an older copy
    expect(first?.number).toBeGreaterThanOrEqual(before);
    await store().locks.release(two);
  });

  it('gives the number for a machine that was locked under another of its identities', async () => {
    const [x] = hostNames();
    const [one] = runNames();
    const [added, before] = [`10.0.0.1:22 SHA256:${x} SHA256:new${x}`, `10.0.0.1:22 SHA256:${x}`];
    await ask(one, added);
    const fence = await store().locks.fenceOf(one, added);
    expect(fence).toBeDefined();
    // as a dead run had it, which the one that added a key undoes
    expect(await store().locks.fenceOf(one, before)).toEqual(fence);
    expect(await store().locks.fenceOf(one, `10.0.0.1:22 SHA256:other${x}`)).toBeUndefined();
    await store().locks.release(one);
  });

  it('gives no number for a host that was taken away, though the run still holds others', async () => {
    const [x, y] = hostNames();
    const [one, two] = runNames();
    await ask(one, x, y);
    const first = await store().locks.fenceOf(one, y);
    await store().locks.forceRelease({ host: x, runId: one }, 'doaas');
    await ask(two, x);
    expect(await store().locks.fenceOf(one, x)).toBeUndefined();
    expect(await store().locks.fenceOf(one, y)).toEqual(first);
    expect([...(await store().locks.fencesOf(one)).keys()]).toEqual([y]);
    expect((await store().locks.fenceOf(two, x))?.number).toBeGreaterThan(first?.number ?? Infinity);
    for (const run of [one, two]) await store().locks.release(run);
  });

  it('lets a waiter give up its place', async () => {
    const [x, y] = hostNames();
    const [one, two, three] = runNames();
    await ask(one, x);
    await ask(two, x, y);
    await ask(three, y);
    expect((await store().locks.release(two)).next.map((n) => n.runId)).toEqual([three]);
    expect((await store().locks.queue()).map((w) => w.runId)).not.toContain(two);
    await store().locks.release(three);
    await store().locks.release(one);
  });

  it('grants one of many that ask at the same time', async () => {
    const [x] = hostNames();
    const runs = Array.from({ length: 20 }, () => randomUUID());
    const answers = await Promise.all(runs.map((run) => ask(run, x)));
    expect(answers.filter((a) => a.kind === 'granted')).toHaveLength(1);
    const positions = answers.flatMap((a) => (a.kind === 'waiting' ? [a.position] : []));
    expect(positions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 19 }, (_, i) => i + 1));
    for (const run of runs) await store().locks.release(run);
    expect((await store().locks.list()).filter((lock) => lock.host === x)).toEqual([]);
  });

  it('records a forced release, marks the host, and refuses its old holder', async () => {
    const [x, y] = hostNames();
    const [one, two] = runNames();
    await ask(one, x, y);
    await ask(two, x);
    const answer = await store().locks.forceRelease({ host: x, runId: one }, 'alice');
    expect(answer).toMatchObject({ was: { host: x, runId: one }, next: [{ runId: two }] });
    expect(await store().hosts.needRecovery([x, y])).toEqual([
      {
        identity: x,
        reason: `alice released the lock of run ${one} (o/r#${one}) by force`,
        since: expect.any(Number),
      },
    ]);
    const entries = (await store().audit.list()).filter((e) => e.what === 'force-release');
    expect(entries.at(-1)).toMatchObject({ who: 'alice', detail: { host: x, runId: one } });
    expect(answer.stays).toBe(false);
    await expect(ask(one, x, y)).rejects.toMatchObject({ type: 'store-conflict' });
    expect(await store().locks.forceRelease({ host: x, runId: one }, 'alice')).toMatchObject({
      was: undefined,
    });
    await store().locks.release(one);
    await store().locks.release(two);
  });

  it('takes a lock only from the run that was seen to hold it', async () => {
    const [x] = hostNames();
    const [dead, one, two] = runNames();
    await ask(dead, x);
    await ask(one, x);
    await ask(two, x);
    // both waiters found the holder dead; the first one is granted before the second acts
    await store().locks.forceRelease({ host: x, runId: dead }, 'doaas');
    expect(await ask(one, x)).toMatchObject({ kind: 'granted' });
    expect(await store().locks.forceRelease({ host: x, runId: dead }, 'doaas')).toMatchObject({
      was: undefined,
      stays: false,
      next: [],
    });
    expect(await ask(two, x)).toMatchObject({ kind: 'waiting', holders: [{ runId: one }] });
    for (const run of [one, two]) await store().locks.release(run);
  });

  it('knows one machine under two identities by a key that both have', async () => {
    const [x] = hostNames();
    const [one, two, three] = runNames();
    const [by, also, other] = [
      `10.0.0.5:22 SHA256:${x}`,
      `web:22 SHA256:other SHA256:${x}`,
      '10.0.0.5:22 SHA256:y',
    ];
    expect(await ask(one, by)).toMatchObject({ kind: 'granted' });
    expect(await ask(two, also)).toMatchObject({ kind: 'waiting', position: 1, holders: [{ runId: one }] });
    expect(await ask(three, by)).toMatchObject({ kind: 'waiting', position: 2, ahead: [{ runId: two }] });
    expect(await ask(`${three}-elsewhere`, other)).toMatchObject({ kind: 'granted' });
    expect((await store().locks.release(one)).next).toMatchObject([{ runId: two }]);
    expect(await ask(two, also)).toMatchObject({ kind: 'granted' });
    await store().locks.forceRelease({ host: also, runId: two }, 'alice');
    expect(await store().hosts.needRecovery([by])).toMatchObject([{ identity: also }]);
    expect(await store().hosts.needRecovery([other])).toEqual([]);
    await store().hosts.clearNeedsRecovery(also);
    for (const run of [two, three, `${three}-elsewhere`]) await store().locks.release(run);
  });

  it('drops a waiter, with its run, and records it', async () => {
    const [x] = hostNames();
    const [one, , three] = runNames();
    const waiting = someRun();
    const two = waiting.id;
    await store().runs.create(waiting);
    await ask(one, x);
    await ask(two, x);
    await ask(three, x);
    const [{ workflowId }] = (await store().locks.queue()).filter(({ runId }) => runId === two) as [Waiter];
    await store().locks.release(one);
    expect(await store().locks.drop({ runId: two, workflowId: 'another' }, 'doaas')).toMatchObject({
      was: false,
    });
    expect(await ask(three, x)).toMatchObject({ kind: 'waiting', ahead: [{ runId: two, workflowId }] });
    const dropped = await store().locks.drop({ runId: two, workflowId }, 'doaas');
    expect(dropped).toMatchObject({ was: true, next: [{ runId: three }] });
    expect(await ask(three, x)).toMatchObject({ kind: 'granted' });
    expect(await store().runs.get(two)).toMatchObject({ state: 'cancelled', endedAt: expect.any(Number) });
    const entries = (await store().audit.list()).filter(({ what }) => what === 'drop-waiter');
    expect(entries.at(-1)).toMatchObject({ who: 'doaas', detail: { runId: two }, headSha: 'h', pull: 5 });
    await store().locks.release(three);
  });
}

/** `open`: a store of its own in which two runs may wait, and nobody does yet. */
export function fullQueueSuite(open: () => Promise<Store>): void {
  it('keeps the places of those that wait when as many do as may, refuses a new one, and drains', async () => {
    const store = await open();
    const [x, y] = hostNames();
    const [holder, one, two, late] = runNames();
    const ask = (runId: string, ...hosts: string[]) =>
      store.locks.acquire({ runId, workflowId: `w-${runId}`, hosts, pull: `o/r#${runId}` });
    try {
      await ask(holder, x);
      await ask(one, x);
      await ask(two, x);
      expect(await ask(two, x)).toMatchObject({ kind: 'waiting', position: 2 });
      await expect(ask(late, x)).rejects.toMatchObject({
        type: 'store-bound',
        message: expect.stringMatching(/^2 runs wait for servers already/),
      });
      expect((await store.locks.queue()).map(({ runId }) => runId)).toEqual([one, two]);
      // it need not wait
      expect(await ask(late, y)).toMatchObject({ kind: 'granted' });
      expect((await store.locks.release(holder)).next).toMatchObject([{ runId: one }]);
      expect(await ask(one, x)).toMatchObject({ kind: 'granted' });
      await store.locks.release(one);
      expect(await ask(two, x)).toMatchObject({ kind: 'granted' });
    } finally {
      for (const run of [holder, one, two, late]) await store.locks.release(run);
      await store.close();
    }
  });
}

export function leftSuite(store: () => Store): void {
  it('leaves what a held run did on a host that a person unlocks, and ends the run with its last one', async () => {
    const run = someRun();
    const [x, y] = [randomUUID(), randomUUID()];
    await store().runs.create(run);
    await store().locks.acquire({ runId: run.id, workflowId: 'w', hosts: [x, y], pull: 'o/r#5' });
    await store().receipts.save([someReceipt(run.id, 'a', x), { ...someReceipt(run.id, 'a', y), host: 'y' }]);
    await store().runs.update(run.id, { state: 'held' });
    expect(await store().receipts.open(x)).toHaveLength(1);
    expect(await store().locks.forceRelease({ host: x, runId: run.id }, 'alice')).toMatchObject({
      stays: true,
      was: { host: x },
    });
    expect(await store().receipts.open(x)).toEqual([]);
    expect(await store().receipts.open(y)).toHaveLength(1);
    expect(await store().receipts.ofRun(run.id)).toHaveLength(2);
    expect(await store().runs.get(run.id)).toMatchObject({ state: 'held', endedAt: null });
    expect((await store().locks.list()).filter(({ runId }) => runId === run.id)).toMatchObject([{ host: y }]);
    await store().locks.forceRelease({ host: y, runId: run.id }, 'alice');
    expect(await store().runs.get(run.id)).toMatchObject({ state: 'failed', endedAt: expect.any(Number) });
    expect(await store().hosts.needRecovery([x, y])).toEqual([]);
    const entries = (await store().audit.list()).filter((e) => e.what === 'force-release');
    expect(entries.at(-1)).toMatchObject({ detail: { host: y, runId: run.id, stays: true } });
  });
}

function hostNames(): [string, string, string] {
  const id = randomUUID();
  return [`${id}-x`, `${id}-y`, `${id}-z`];
}

function runNames(): [string, string, string, string] {
  return [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
}
