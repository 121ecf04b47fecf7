import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostDigest, planDigest } from '../plan/digest.ts';
import type { HostPlan, Plan } from '../plan/step.ts';
import { aStep } from '../plan/testing.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { HOST_KEY } from '../spec/testing.ts';
import type { RunState } from '../store/runs.ts';
import { openStore, type Store } from '../store/store.ts';
import { failedOf, triedEnough } from './correctionBounds.ts';
import { knownHosts } from './correctionGrounds.ts';
import { identityOf } from './identity.ts';

const HOUR_MS = 3600 * 1000;

describe('on a real store', () => {
  let dir: string;
  let store: Store;
  let now = Date.now();
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'doaas-bounds-'));
    store = await openStore({ file: join(dir, 'store.sqlite') }, { now: () => now });
  });
  afterAll(async () => {
    await store.close();
    await rm(dir, { recursive: true });
  });

  let runs = 0;
  const ran = async (
    repository: string,
    issue: number,
    state: RunState,
    hoursAgo = 0,
    document = 'Configuration/web',
    digest = '',
  ) => {
    const id = `dc${issue}-${++runs}`;
    now = Date.now() - hoursAgo * HOUR_MS;
    const run = {
      id,
      repository,
      pullNumber: issue,
      kind: 'correction' as const,
      planDigest: null,
      headSha: null,
      baseSha: null,
    };
    await store.runs.create({
      ...run,
      actor: 'doaas',
      detail: { ref: { correction: { document }, plan: { digest } } },
    });
    await store.runs.update(id, { state });
    now = Date.now();
    return id;
  };
  const tried = (repository: string, issue?: number) =>
    triedEnough({ store }, repository, 'Configuration/web', issue);

  test('two failures of an issue are enough; a new issue begins anew', async () => {
    await ran('o/failing', 17, 'rolled-back');
    expect(await tried('o/failing', 17)).toBeUndefined();
    const second = await ran('o/failing', 17, 'held');
    expect(await tried('o/failing', 17)).toMatch(
      /^it has failed 2 times and is not tried again\. .*close this issue/,
    );
    expect(await tried('o/failing', 18)).toBeUndefined();
    expect(await tried('o/failing')).toBeUndefined();
    expect(await tried('o/other', 17)).toBeUndefined();
    const pull = { repository: { owner: 'o', name: 'failing', installationId: 1 }, number: 17 };
    expect(await failedOf({ store }, { pull }, second)).toBe(2);
  });

  test('what failed in a window is not tried again in the same one', async () => {
    const hours = (from: number, to: number) => {
      const at = (hour: number) =>
        `${String((new Date().getUTCHours() + hour + 24) % 24).padStart(2, '0')}:00`;
      return { timeZone: 'UTC', hours: { from: at(from), to: at(to) } };
    };
    const inWindow = (from: number, to: number, issue = 27) =>
      triedEnough({ store }, 'o/window', 'Configuration/web', issue, { window: hours(from, to), hosts: [] });
    await ran('o/window', 27, 'rolled-back', 2);
    expect(await inWindow(-3, 2)).toMatch(/^it has failed in this window, and is tried once more in a later/);
    expect(await inWindow(-1, 2)).toBeUndefined();
    expect(await inWindow(-3, 2, 28)).toBeUndefined();
    expect(await tried('o/window', 27)).toBeUndefined();
    await ran('o/window', 27, 'rolled-back', 1);
    expect(await inWindow(0, 2)).toMatch(/^it has failed 2 times and is not tried again/);
  });

  test('three corrections within a day are enough, of this document, until the first is a day old', async () => {
    for (const hoursAgo of [25, 23, 2]) await ran('o/again', 20 + hoursAgo, 'applied', hoursAgo);
    await ran('o/again', 50, 'applied', 1, 'Configuration/other');
    await ran('o/again', 51, 'cancelled');
    expect(await tried('o/again', 60)).toBeUndefined();
    await ran('o/again', 52, 'applied');
    expect(await tried('o/again', 60)).toMatch(/^it was corrected 3 times within a day and differs again/);
  });

  test('updates go to as many servers in a day as have them; the same on one server three times is enough', async () => {
    const updates = (host: string, id: string): HostPlan => {
      const steps = [{ ...aStep, host, id }];
      return { kind: 'host-plan', host, steps, findings: [], digest: hostDigest(host, steps) };
    };
    const done = async (...hosts: readonly HostPlan[]) => {
      const plan: Plan = { kind: 'plan', hosts, digest: planDigest(hosts) };
      await store.plans.save(plan, { repository: 'o/updates', number: 80, headSha: '', baseSha: '' });
      await ran('o/updates', 80, 'applied', 1, 'Configuration/web', plan.digest);
    };
    const again = (...hosts: readonly HostPlan[]) =>
      triedEnough({ store }, 'o/updates', 'Configuration/web', 81, { window: { timeZone: 'UTC' }, hosts });
    for (const n of [1, 2, 3, 4]) await done(updates(`web-${n}`, 'openssl'), updates('web-9', `of-${n}`));
    expect(await again(updates('web-5', 'openssl'), updates('web-9', 'of-5'))).toBeUndefined();
    await done(updates('web-1', 'openssl'));
    expect(await again(updates('web-1', 'openssl'))).toBeUndefined();
    await done(updates('web-1', 'openssl'));
    expect(await again(updates('web-1', 'openssl'))).toMatch(
      /^the same was done 3 times within a day on web-1 and/,
    );
    expect(await again(updates('web-1', 'curl'))).toBeUndefined();
  });

  test('one that a person cancelled is not begun again in that issue, by whomever else it was asked', async () => {
    const entry = { who: 'anna', repository: 'o/cancelled', detail: { run: 'dc70-1' } };
    await store.audit.append({ ...entry, what: 'ask-cancel', pull: 71 });
    await store.audit.append({ ...entry, what: 'cancel', pull: 70 });
    expect(await tried('o/cancelled', 70)).toMatch(
      /^anna cancelled it, so it is not tried again\. Close this issue/,
    );
    expect(await tried('o/cancelled', 71)).toBeUndefined();
    expect(await tried('o/cancelled')).toBeUndefined();
    const cancel = { ...entry, what: 'cancel', repository: 'o/bare', pull: 0 };
    now = Date.now() - 25 * HOUR_MS;
    await store.audit.append({ ...cancel, detail: { document: 'Configuration/web' } });
    now = Date.now();
    await store.audit.append({ ...cancel, detail: { document: 'Configuration/own' } });
    expect(await tried('o/bare', 0)).toBeUndefined();
    await store.audit.append({ ...cancel, detail: { document: 'Configuration/web' } });
    expect(await tried('o/bare', 0)).toMatch(/^anna cancelled it within the last day; it is tried again/);
    expect(await tried('o/other', 70)).toBeUndefined();
  });

  test('what the store knows of a machine is found by the machine, not by its name', async () => {
    const host = (name: string, address: string, key = HOST_KEY) =>
      ({ name, server: { address, port: 22, hostKeys: [key] } }) as unknown as ResolvedHost;
    const [a, b] = [host('web-1', '10.0.0.1', 'ssh-ed25519 AAAA'), host('web-2', '10.0.0.2')];
    await store.hosts.markNeedsRecovery(identityOf(a.server), 'a run died there');
    await store.settled.save(
      'o/known',
      [{ identity: identityOf(b.server), items: {}, returnable: ['path:/a'] }],
      now,
    );
    const known = await knownHosts({ store }, 'o/known', [a, b]);
    expect([known.needsRecovery('web-1'), known.needsRecovery('web-2')]).toEqual([true, false]);
    expect([known.settled('web-1'), known.settled('web-2')?.returnable]).toEqual([undefined, ['path:/a']]);
    const moved = await knownHosts({ store }, 'o/known', [a, host('web-2', '10.0.0.3')]);
    expect(moved.settled('web-2')).toBeUndefined();
  });
});
