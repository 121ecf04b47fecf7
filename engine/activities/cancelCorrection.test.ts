import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore, type Store } from '../store/store.ts';
import { cancelCorrection, cancelledBy } from './cancelCorrection.ts';
import type { Engine } from './engine.ts';

/** Which workflows run and what they heard, in place of a Temporal server. */
function temporalWith(running: readonly string[], ends: readonly string[] = []) {
  const heard: unknown[] = [];
  const getHandle = (id: string) => ({
    describe: async () => ({ status: { name: running.includes(id) ? 'RUNNING' : 'COMPLETED' } }),
    signal: async (name: string, said: unknown) => {
      if (ends.includes(id)) throw new WorkflowNotFoundError('it is over', id, undefined);
      heard.push([id, name, said]);
    },
  });
  return { heard, temporal: { workflow: { getHandle } } as unknown as Engine['temporal'] };
}

describe('on a real store', () => {
  let dir: string;
  let store: Store;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'doaas-cancel-'));
    store = await openStore({ file: join(dir, 'store.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(dir, { recursive: true });
  });

  const issueOf = (name: string) => ({ repository: { owner: 'o', name, installationId: 1 }, number: 17 });
  const asked = { actor: 'anna', commentId: 5 };
  const lock = (runId: string, workflowId: string, host: string, pull: string) =>
    store.locks.acquire({ runId, workflowId, hosts: [host], pull });

  test('the correction that has servers hears who stops it, and the issue is not corrected again', async () => {
    await lock('dc17-a', 'correction:o/has:Configuration/web', 'has-1', 'o/has#17');
    const { heard, temporal } = temporalWith(['correction:o/has:Configuration/web']);
    const answer = await cancelCorrection({ store, temporal }, issueOf('has'), asked, false);
    expect(answer).toMatch(/^Stopping the correction `dc17-a` at the next safe point\. .*is taken back/);
    await cancelCorrection({ store, temporal }, issueOf('has'), asked, false);
    const said = ['correction:o/has:Configuration/web', 'stopRun', { actor: 'anna', keep: false }];
    expect(heard).toEqual([said, said]);
    expect(await cancelledBy({ store }, 'o/has', 17)).toBe('anna');
    const entries = await store.audit.list({ repository: 'o/has' });
    expect(entries).toMatchObject([
      {
        who: 'anna',
        what: 'cancel',
        pull: 17,
        detail: { run: 'dc17-a', keep: false, comment: 5, document: 'Configuration/web' },
      },
    ]);
  });

  test('where the repository takes no issues, the one that is named hears it, and its document alone waits a day', async () => {
    const none = { ...issueOf('bare'), number: 0 };
    const [web, own] = ['web', 'own'].map((name) => `correction:o/bare:Configuration/${name}`) as [
      string,
      string,
    ];
    await lock('dc0-0000000a', web, 'bare-1', 'o/bare#0');
    await lock('dc0-0000000b', own, 'bare-2', 'o/bare#0');
    const { heard, temporal } = temporalWith([web, own]);
    const say = (argument: string) =>
      cancelCorrection({ store, temporal }, none, { ...asked, argument }, false);
    expect(await say('dc0-0000000c')).toMatch(
      /^No correction `dc0-0000000c` of this repository runs or waits/,
    );
    expect(await say('DC0-0000000A')).toMatch(
      /^Stopping the correction `dc0-0000000a`.*`doaas audit` says how it ended\. It is not tried again for a day\.$/,
    );
    expect(heard).toEqual([[web, 'stopRun', { actor: 'anna', keep: false }]]);
    const by = (document: string) => cancelledBy({ store }, 'o/bare', 0, `Configuration/${document}`);
    expect([await by('web'), await by('own')]).toEqual(['anna', undefined]);
  });

  test('one that waits hears it too, though an earlier one was held and keeps its servers', async () => {
    await lock('dc17-held', 'correction:o/waits:Configuration/web', 'waits-1', 'o/waits#17');
    await lock('dc17-new', 'correction:o/waits:Configuration/web', 'waits-1', 'o/waits#17');
    const { heard, temporal } = temporalWith(['correction:o/waits:Configuration/web']);
    const answer = await cancelCorrection({ store, temporal }, issueOf('waits'), asked, true);
    expect(answer).toMatch(/^Stopping the correction `dc17-new` .*stay locked until somebody says/);
    expect(heard).toEqual([[expect.any(String), 'stopRun', { actor: 'anna', keep: true }]]);
  });

  test('where nothing is being corrected nobody hears anything, and later corrections are made', async () => {
    await lock('dc18-a', 'correction:o/none:Configuration/web', 'none-1', 'o/none#18');
    await lock('dc17-dead', 'correction:o/none:Configuration/own', 'none-2', 'o/none#17');
    const { heard, temporal } = temporalWith(['correction:o/none:Configuration/web']);
    const answer = await cancelCorrection({ store, temporal }, issueOf('none'), asked, false);
    expect(answer).toMatch(/^Nothing is being corrected for this issue.*drift: \{ action: report \}/);
    expect(heard).toEqual([]);
    expect(await cancelledBy({ store }, 'o/none', 17)).toBeUndefined();
  });

  test('one that has just ended by itself is said to have', async () => {
    const id = 'correction:o/ends:Configuration/web';
    await lock('dc17-z', id, 'ends-1', 'o/ends#17');
    const { temporal } = temporalWith([id], [id]);
    const answer = await cancelCorrection({ store, temporal }, issueOf('ends'), asked, false);
    expect(answer).toBe('The correction `dc17-z` has just ended; its comment says how.');
  });
});
