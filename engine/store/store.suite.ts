import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../plan/step.ts';
import { BLOB_MAX_BYTES } from './blobs.ts';
import { leasesSuite } from './leases.suite.ts';
import { leftSuite, locksSuite } from './locks.suite.ts';
import { pausesSuite } from './pauses.suite.ts';
import { runHostsSuite } from './runHosts.suite.ts';
import { RUNS_LISTED_MAX } from './runs.ts';
import { securityHostsSuite } from './securityHosts.suite.ts';
import type { Store } from './store.ts';
import { someReceipt, someRun } from './testing/some.ts';

/**
 * The same expectations for SQLite and PostgreSQL. Names are unique, so that one database serves them all. `atOnce`: how
 * many engines may have it open.
 */
export function storeSuite(name: string, open: () => Promise<Store>, atOnce = 1): void {
  describe(`store on ${name}`, () => {
    let store: Store;
    const others: Store[] = [];
    beforeAll(async () => {
      store = await open();
      while (others.length < atOnce - 1) others.push(await open());
    });
    afterAll(async () => {
      await store?.close();
      for (const other of others) await other.close();
    });
    const current = (): Store => store;
    repositoriesSuite(current);
    plansSuite(current);
    runsSuite(current);
    runHostsSuite(current);
    locksSuite(current);
    leftSuite(current);
    leasesSuite(current, () => others);
    pausesSuite(current, () => others);
    hostsSuite(current);
    hostKeysSuite(current);
    auditSuite(current);
    keysSuite(current);
    pullsSuite(current);
    pushesSuite(current);
    driftSuite(current);
    settledSuite(current);
    verdictsSuite(current);
    securityHostsSuite(current);
  });
}

function pushesSuite(store: () => Store): void {
  it('keeps who pushed to a branch, each push once, until it is old', async () => {
    const repositoryId = Date.now();
    const branch = { repositoryId, branch: 'change' };
    const anna = { before: '0000', after: 'a', account: { login: 'anna', id: 5_000_000_000 } };
    const rita = { before: 'a', after: 'b', account: { login: 'rita', id: 7 } };
    await store().pushes.add(branch, [anna, anna]);
    await store().pushes.add(branch, [rita]);
    await store().pushes.add(branch, [anna]);
    await store().pushes.add(branch, []);
    await store().pushes.add({ ...branch, branch: 'Change' }, [{ ...rita, after: 'c' }]);
    const pushes = await store().pushes.of(branch);
    expect([...pushes].sort((one, other) => one.after.localeCompare(other.after))).toEqual([anna, rita]);
    expect(await store().pushes.of({ ...branch, repositoryId: repositoryId + 1 })).toEqual([]);
    await store().pushes.prune(Date.now() - 60_000);
    expect(await store().pushes.of(branch)).toHaveLength(2);
    expect(await store().pushes.prune(Date.now() + 1)).toBeGreaterThanOrEqual(3);
    expect(await store().pushes.of(branch)).toEqual([]);
  });
}

function repositoriesSuite(store: () => Store): void {
  it('keeps a repository by its id through a rename', async () => {
    const id = randomUUID();
    const record = { id, owner: 'o', name: `old-${id}`, defaultBranch: 'main', installationId: null };
    await store().repositories.save(record);
    await store().repositories.save({ ...record, name: `new-${id}`, installationId: '7' });
    expect(await store().repositories.findByName('o', `old-${id}`)).toBeUndefined();
    expect(await store().repositories.findByName('O', `New-${id}`)).toEqual({
      ...record,
      name: `new-${id}`,
      installationId: '7',
      knownAs: `o/old-${id}`,
    });
  });

  it('never takes a repository that took over a name for the one that had it', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const old = { id: first, owner: 'o', name: first, defaultBranch: 'main', installationId: null };
    expect(await store().repositories.save(old)).toMatchObject({ knownAs: `o/${first}` });
    await store().repositories.save({ ...old, name: `moved-${first}` });
    const taker = { ...old, id: second, owner: 'O', name: first };
    expect(await store().repositories.save(taker)).toMatchObject({ knownAs: `O/${first}@${second}` });
    expect(await store().repositories.save(taker)).toMatchObject({ knownAs: `O/${first}@${second}` });
    expect(await store().repositories.findKnownAs(`o/${first}`)).toMatchObject({ id: first });
    expect(await store().repositories.get(first)).toMatchObject({ name: `moved-${first}` });
  });
}

function plansSuite(store: () => Store): void {
  it('returns a plan as it was stored, and for what it was made', async () => {
    const plan = somePlan();
    const use = { repository: `o/${plan.digest}`, number: 3, headSha: 'h1', baseSha: 'b1' };
    await store().plans.save(plan, use);
    await store().plans.save(plan, { ...use, number: 4 });
    expect(await store().plans.get(plan.digest)).toEqual(plan);
    expect(await store().plans.latest(use.repository, 3)).toMatchObject({ ...use, digest: plan.digest });
    expect((await store().plans.uses(plan.digest)).map((u) => u.number).toSorted()).toEqual([3, 4]);
    expect(await store().plans.findByPrefix(plan.digest.slice(0, 12))).toEqual([plan.digest]);
    expect(await store().plans.findByPrefix('%')).toEqual([]);
    expect(await store().plans.get('none')).toBeUndefined();
  });

  it('keeps payloads byte for byte, once, and refuses one over the bound', async () => {
    const bytes = new Uint8Array(256).map((_, i) => i);
    const [sha = ''] = await store().blobs.put([bytes, bytes]);
    expect(await store().blobs.get(sha)).toSatisfy((found: Uint8Array) => Buffer.from(found).equals(bytes));
    expect(await store().blobs.put([new Uint8Array(0)])).toHaveLength(1);
    const tooLarge = store().blobs.put([new Uint8Array(BLOB_MAX_BYTES + 1)]);
    await expect(tooLarge).rejects.toMatchObject({ type: 'store-bound' });
  });

  it('prunes plans and payloads that nothing needs', async () => {
    const [kept, gone] = [somePlan(), somePlan()];
    const [keptSha = '', goneSha = ''] = await store().blobs.put([randomBytes(), randomBytes()]);
    const use = { repository: `o/${kept.digest}`, number: 1, headSha: 'h', baseSha: 'b' };
    await store().plans.save(kept, use, [keptSha, keptSha]);
    await store().plans.save(gone, use, [goneSha]);
    const run = await store().runs.create({ ...someRun(), planDigest: kept.digest });
    const later = Date.now() + 60_000;
    await store().plans.prune(later);
    await store().blobs.prune(later);
    expect(await store().plans.get(gone.digest)).toBeUndefined();
    expect(await store().blobs.get(goneSha)).toBeUndefined();
    expect(await store().plans.get(kept.digest)).toEqual(kept);
    expect(await store().plans.payloadsOf(kept.digest)).toEqual([keptSha]);
    expect(await store().blobs.get(keptSha)).toBeDefined();
    await store().runs.update(run.id, { state: 'applied' });
    await store().plans.prune(later);
    expect(await store().plans.uses(kept.digest)).toEqual([]);
  });
}

function runsSuite(store: () => Store): void {
  it('creates a run once and never leaves its final state', async () => {
    const run = someRun();
    await store().runs.create(run);
    await store().runs.update(run.id, { state: 'running', detail: { note: 'a\0b "quoted"' } });
    expect(await store().runs.create(run)).toMatchObject({ state: 'running', endedAt: null });
    expect((await store().runs.open()).map((r) => r.id)).toContain(run.id);
    await store().runs.update(run.id, { state: 'applied' });
    await store().runs.update(run.id, { state: 'applied', mergeSha: 'm' });
    expect(await store().runs.get(run.id)).toMatchObject({
      state: 'applied',
      mergeSha: 'm',
      endedAt: expect.any(Number),
      detail: { note: 'a\0b "quoted"' },
    });
    await expect(store().runs.update(run.id, { state: 'running' })).rejects.toMatchObject({
      type: 'store-conflict',
      message: `Run ${run.id} has ended as applied; it cannot become running. Start a new run.`,
    });
    expect((await store().runs.open()).map((r) => r.id)).not.toContain(run.id);
    expect((await store().runs.ofPull(run.repository, 5)).map((r) => r.id)).toEqual([run.id]);
  });

  it('names all runs that have not ended, more than one listing holds', async () => {
    const runs = Array.from({ length: RUNS_LISTED_MAX + 1 }, someRun);
    for (const run of runs) await store().runs.create(run);
    try {
      const open = new Map((await store().runs.openStates()).map(({ id, state }) => [id, state]));
      expect(runs.filter(({ id }) => open.get(id) !== 'queued')).toEqual([]);
      expect(await store().runs.open()).toHaveLength(RUNS_LISTED_MAX);
    } finally {
      for (const { id } of runs) await store().runs.update(id, { state: 'cancelled' });
    }
    const left = new Set((await store().runs.openStates()).map(({ id }) => id));
    expect(runs.filter(({ id }) => left.has(id))).toEqual([]);
  });

  it('names all runs of a repository that were under way, behind as many of others as a listing holds', async () => {
    const { repository } = someRun();
    const since = Date.now() - 60_000;
    const others = Array.from({ length: RUNS_LISTED_MAX }, someRun);
    const own = Array.from({ length: RUNS_LISTED_MAX + 1 }, () => ({ ...someRun(), repository }));
    for (const run of [...others, ...own]) await store().runs.create(run);
    const active = async (from: number) => {
      const found: string[] = [];
      for await (const { id } of store().runs.activeSince(repository, from)) found.push(id);
      return found.sort();
    };
    const ids = own.map(({ id }) => id).sort();
    try {
      expect(await active(since)).toEqual(ids);
    } finally {
      for (const { id } of [...others, ...own]) await store().runs.update(id, { state: 'cancelled' });
    }
    // those that have ended since then were under way, too
    expect(await active(since)).toEqual(ids);
    expect(await active(Date.now() + 60_000)).toEqual([]);
  });

  it('changes a run and says so in the audit log together, and once however often it is tried', async () => {
    const run = someRun();
    await store().runs.create(run);
    const { repository } = run;
    const entry = (what: string) => ({ who: 'a', what, repository, key: `${run.id} ${what}` });
    const end = () => store().runs.update(run.id, { state: 'applied' }, entry('applied'));
    await Promise.all([end(), end(), end()]);
    await end();
    const said = async () => (await store().audit.list({ repository })).map(({ what }) => what);
    expect(await said()).toEqual(['applied']);
    const never = store().runs.update(run.id, { state: 'held' }, entry('held'));
    await expect(never).rejects.toMatchObject({ type: 'store-conflict' });
    const huge = { ...entry('huge'), detail: 'x'.repeat(300 * 1024) };
    const unsaid = store().runs.update(run.id, { mergeSha: 'm' }, huge);
    await expect(unsaid).rejects.toMatchObject({ type: 'store-bound' });
    expect(await store().runs.get(run.id)).toMatchObject({ state: 'applied', mergeSha: null });
    expect(await said()).toEqual(['applied']);
    expect((await store().audit.verify()).head).toBe(await store().audit.head());
  });

  it('names what runs that have not ended may have left on a host', async () => {
    const [run, later] = [someRun(), someRun()];
    await store().runs.create(run);
    const receipt = someReceipt(run.id, 'a');
    await store().receipts.save([receipt, someReceipt(run.id, 'b', receipt.hostIdentity)]);
    await store().receipts.save([{ ...receipt, state: 'undone' }]);
    const open = (except?: string) => store().receipts.open(receipt.hostIdentity, except);
    expect((await open()).map((r) => [r.stepId, r.state])).toEqual([['b', 'captured']]);
    expect(await open(run.id)).toEqual([]);
    await store().runs.update(run.id, { state: 'rolled-back' });
    expect(await open()).toEqual([]);
    expect(await store().receipts.ofRun(run.id)).toHaveLength(2);
    expect(await store().receipts.touchedSince(receipt.hostIdentity, 0, later.id)).toHaveLength(1);
    expect(await store().receipts.touchedSince(receipt.hostIdentity, 0, run.id)).toEqual([]);
  });
}

function hostsSuite(store: () => Store): void {
  it('remembers when a machine was first seen, and whether it needs recovery', async () => {
    const identity = randomUUID();
    expect(await store().hosts.saveFacts(identity, { os: 'debian 12' })).toBe(true);
    const first = await store().hosts.facts(identity);
    expect(await store().hosts.saveFacts(identity, { os: 'debian 13' })).toBe(false);
    expect(await store().hosts.facts(identity)).toMatchObject({
      facts: { os: 'debian 13' },
      firstSeenAt: first?.firstSeenAt,
    });
    await store().hosts.markNeedsRecovery(identity, 'run 1 left \0 open');
    expect(await store().hosts.needRecovery([identity])).toEqual([
      { identity, reason: 'run 1 left \uFFFD open', since: expect.any(Number) },
    ]);
    expect(await store().hosts.needRecovery([])).toEqual([]);
    const [seen] = await store().hosts.needRecovery([identity]);
    if (seen === undefined) throw new Error('none was seen');
    // another dead run was found on it since
    await store().hosts.clearRecovery({ ...seen, since: seen.since - 1 });
    expect(await store().hosts.needRecovery([identity])).toEqual([seen]);
    await store().hosts.clearRecovery(seen);
    expect(await store().hosts.needRecovery([identity])).toEqual([]);
    await store().hosts.markNeedsRecovery(identity, 'run 2 left open');
    await store().hosts.clearNeedsRecovery(identity);
    expect((await store().hosts.needRecovery()).map((r) => r.identity)).not.toContain(identity);
  });
}

function hostKeysSuite(store: () => Store): void {
  it('keeps the first key of a server, also of those that are told at the same time, with one entry of the audit log', async () => {
    const repository = `O/${randomUUID()}`;
    const place = { repository, server: 'web-1', address: '10.0.0.5:22' };
    const by = { pull: 1, headSha: 'h', detail: { fingerprint: 'f' } };
    const told = await Promise.all(['a', 'b', 'c'].map((key) => store().hostKeys.remember(place, key, by)));
    expect(new Set(told.map(({ key }) => key)).size).toBe(1);
    expect(await store().hostKeys.remember({ ...place, address: '10.0.0.6:22' }, 'z', by)).toMatchObject({
      key: 'z',
    });
    const known = await store().hostKeys.of(repository.toLowerCase());
    expect(known.map(({ address, key }) => [address, key]).sort()).toEqual([
      ['10.0.0.5:22', told[0]?.key],
      ['10.0.0.6:22', 'z'],
    ]);
    expect(known[0]?.firstSeenAt).toEqual(expect.any(Number));
    const entries = await store().audit.list({ repository });
    expect(entries.map(({ what }) => what)).toEqual(['host-key-first-use', 'host-key-first-use']);
    expect(entries[0]?.detail).toMatchObject({ key: told[0]?.key, fingerprint: 'f', server: 'web-1' });
  });
}

function pullsSuite(store: () => Store): void {
  it('keeps the head of a pull request that was seen last, and which ones were open', async () => {
    const repository = `o/${randomUUID()}`;
    await store().pulls.seen(repository, { number: 1, headSha: 'a', open: true });
    await store().pulls.seen(repository, { number: 1, headSha: 'b', open: true });
    await store().pulls.seen(repository, { number: 2, headSha: 'c', open: true });
    await store().pulls.seen(repository, { number: 2, headSha: 'c', open: false });
    expect(await store().pulls.open(repository)).toEqual([{ number: 1, headSha: 'b' }]);
    expect(await store().pulls.open(`${repository}x`)).toEqual([]);
    expect(await store().pulls.headedBy(repository, 'b')).toEqual([1]);
    const closed = [1, 2, 3].map((number) => store().pulls.isKnownClosed(repository, number));
    expect(await Promise.all(closed)).toEqual([false, true, false]);
    expect(await store().pulls.headedBy(repository, 'a')).toEqual([]);
    expect(await store().pulls.headedBy(repository, 'c')).toEqual([]);
    expect(await store().pulls.headedBy(`${repository}x`, 'b')).toEqual([]);
  });
}

function driftSuite(store: () => Store): void {
  it('knows which repository was not read for longest, from the first try on, until nobody reads it any more', async () => {
    const { drift } = store();
    const [one, other] = ['One', 'other'].map((name) => `o/${name}-${randomUUID()}`) as [string, string];
    await drift.readOnly([]);
    expect(await drift.oldestReading()).toBeUndefined();
    await drift.expectReading(one, 1_795_000_000_000);
    await drift.expectReading(one, 1_795_000_000_009);
    await drift.noteRead(other, 1_795_000_000_005);
    expect(await drift.oldestReading()).toBe(1_795_000_000_000);
    await drift.noteRead(one, 1_795_000_000_007);
    await drift.noteUnread(one, 2);
    await drift.noteUnread(other, 3);
    expect([await drift.oldestReading(), await drift.unread()]).toEqual([1_795_000_000_005, 5]);
    await drift.readOnly([one]);
    expect([await drift.oldestReading(), await drift.unread()]).toEqual([1_795_000_000_007, 2]);
    await drift.readOnly([]);
    expect([await drift.oldestReading(), await drift.unread()]).toEqual([undefined, 0]);
  });

  it('keeps what differs of one repository, takes off what was put back, and replaces it whole', async () => {
    const repository = `o/${randomUUID()}`;
    const item = {
      document: 'Configuration/web',
      host: 'web-1',
      stepId: 'file:/etc/motd',
      summary: 'motd +1 -1',
      firstSeenAt: 1_795_000_000_000,
      traces: ['ann \0'],
    };
    await store().drift.replace(repository, [item, { ...item, host: 'web-2', traces: [] }]);
    await store().drift.replace(`${repository}x`, [item]);
    expect(await store().drift.of(repository)).toEqual([
      { ...item, diff: '', traces: ['ann \uFFFD'] },
      { ...item, diff: '', host: 'web-2', traces: [] },
    ]);
    const gone = [{ host: 'web-1', stepId: item.stepId }];
    await store().drift.remove(repository, 'Configuration/other', gone);
    await store().drift.remove(repository, item.document, [...gone, { host: 'web-2', stepId: 'file:/b' }]);
    expect(await store().drift.of(repository)).toEqual([{ ...item, diff: '', host: 'web-2', traces: [] }]);
    await store().drift.replace(repository, []);
    expect(await store().drift.of(repository)).toEqual([]);
    expect(await store().drift.of(`${repository}x`)).toHaveLength(1);
  });

  it('counts the servers that the last reading of each repository could not read', async () => {
    const repository = `O/${randomUUID()}`;
    const before = await store().drift.unread();
    await store().drift.noteUnread(repository, 3);
    await store().drift.noteUnread(`${repository}x`, 2);
    expect(await store().drift.unread()).toBe(before + 5);
    await store().drift.noteUnread(repository.toLowerCase(), 1);
    expect(await store().drift.unread()).toBe(before + 3);
    await store().drift.noteUnread(repository, 0);
    await store().drift.noteUnread(`${repository}x`, 0);
    expect(await store().drift.unread()).toBe(before);
  });
}

function settledSuite(store: () => Store): void {
  it('keeps what is in force on each host, and forgets it for what was read before', async () => {
    const repository = `o/${randomUUID()}`;
    const row = { identity: 'a:22 k', items: { 'path:/a': 'x' }, returnable: ['path:/a' as const] };
    await store().settled.save(repository, [row, { ...row, identity: 'b:22 k' }], 1_000);
    await store().settled.save(repository, [{ ...row, items: {}, returnable: [] }], 2_000);
    await store().settled.save(repository, [row], 1_500);
    expect([...(await store().settled.of(repository)).values()]).toEqual(
      expect.arrayContaining([
        { identity: 'a:22 k', items: {}, returnable: [] },
        { ...row, identity: 'b:22 k' },
      ]),
    );
    await store().settled.forget(repository, ['b:22 k', 'c:22 k']);
    await store().settled.save(repository, [{ ...row, identity: 'b:22 k' }], 3_000);
    expect((await store().settled.of(repository)).get('b:22 k')?.items).toEqual({});
    expect([...(await store().settled.of(repository, ['a:22 k', 'x'])).keys()]).toEqual(['a:22 k']);
    expect((await store().settled.of(`${repository}x`)).size).toBe(0);
  });
}

function keysSuite(store: () => Store): void {
  it('makes a key once, also for those who ask at the same time', async () => {
    const asked = await Promise.all(
      [1, 2, 3].map((n) => store().keys.getOrMake('k', () => new Uint8Array(32).fill(n))),
    );
    for (const key of asked) expect([...key]).toEqual([...(asked[0] ?? [])]);
    expect(asked[0]).toHaveLength(32);
    expect([...(await store().keys.getOrMake('other', () => new Uint8Array([9])))]).toEqual([9]);
  });
}

function auditSuite(store: () => Store): void {
  it('keeps the audit log in order and by pull request', async () => {
    const repository = `o/${randomUUID()}`;
    await store().audit.append({
      who: 'alice',
      what: 'approve',
      repository,
      pull: 1,
      headSha: 'h',
      digest: 'd',
    });
    await store().audit.append({ who: 'bob', what: 'apply', repository, pull: 1, detail: { runs: ['r'] } });
    await store().audit.append({ who: 'bob', what: 'apply', repository, pull: 2 });
    const entries = await store().audit.list({ repository, pull: 1 });
    expect(entries.map((e) => [e.who, e.what])).toEqual([
      ['alice', 'approve'],
      ['bob', 'apply'],
    ]);
    const [first] = entries;
    expect(await store().audit.list({ repository, afterSeq: first?.seq ?? 0 })).toHaveLength(2);
    const huge = store().audit.append({ who: 'a', what: 'b', detail: 'x'.repeat(300 * 1024) });
    await expect(huge).rejects.toMatchObject({ type: 'store-bound' });
  });

  it('chains what is appended at the same time, and finds an entry by its hash', async () => {
    const repository = `o/${randomUUID()}`;
    const before = await store().audit.verify();
    const writers = Array.from({ length: 8 }, (_, n) =>
      store().audit.append({ who: 'alice \0', what: `${n}`, repository, detail: { b: 1, a: 'ä' } }),
    );
    await Promise.all(writers);
    const after = await store().audit.verify();
    expect(after.brokenAt).toBeUndefined();
    expect(after.entries).toBe(before.entries + 8);
    const entries = await store().audit.list({ repository });
    expect(entries.at(-1)?.hash).toBe(after.head);
    expect(await store().audit.has(after.head)).toBe(true);
    expect(await store().audit.has('0'.repeat(64))).toBe(false);
    expect(await store().audit.list({ repository, since: Date.now() + 60_000 })).toEqual([]);
    expect(await store().audit.list({ repository, since: Date.now() - 60_000 })).toHaveLength(8);
  });
}

function randomBytes(): Uint8Array {
  return Buffer.from(randomUUID());
}

function someDigest(): string {
  return `${randomUUID()}${randomUUID()}`.replaceAll('-', '');
}

function somePlan(): Plan {
  const digest = someDigest();
  const finding = { kind: 'finding', severity: 'info', host: 'h', document: 'd', message: 'é\0' } as const;
  return {
    kind: 'plan',
    digest,
    hosts: [{ kind: 'host-plan', host: 'h', steps: [], findings: [finding], digest }],
  };
}

function verdictsSuite(store: () => Store): void {
  it('keeps the newest verdict of a pull request, and finds it whatever the case of the name', async () => {
    const repository = `O/${randomUUID()}`;
    const judged = { repository, number: 7, headSha: 'h', digest: 'd' };
    await store().verdicts.save({ ...judged, verdict: { ready: false } });
    await store().verdicts.save({ ...judged, headSha: 'i', verdict: { ready: true } });
    expect(await store().verdicts.of(repository.toLowerCase(), 7)).toMatchObject({
      ...judged,
      headSha: 'i',
      verdict: { ready: true },
      judgedAt: expect.any(Number),
    });
    expect(await store().verdicts.of(repository, 8)).toBeUndefined();
    const merged = { ready: false, opensAt: 2_000, merged: true };
    await store().verdicts.save({ ...judged, number: 8, digest: 'open', verdict: { opensAt: 2_000 } });
    await store().verdicts.save({ ...judged, number: 9, digest: 'waits', verdict: merged });
    expect(await store().verdicts.mergedBeforeWindow(repository, 1_999)).toEqual(['waits']);
    expect(await store().verdicts.mergedBeforeWindow(repository, 2_000)).toEqual([]);
    expect(await store().verdicts.mergedBeforeWindow('o/other', 0)).toEqual([]);
  });
}
