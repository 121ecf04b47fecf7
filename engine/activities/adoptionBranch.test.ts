import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sameAccount } from '../policy/account.ts';
import { AUDIT_PAGE_MAX, type AuditEntry, appendAudit } from '../store/audit.ts';
import { openSqlite } from '../store/sqlite.ts';
import { openStore, type Store } from '../store/store.ts';
import { askersOf } from './adoptionBranch.ts';
import { auditRequest } from './requests.ts';
import type { IssueRequest } from './types.ts';

const REPOSITORY = { owner: 'acme', name: 'infra', installationId: 1, id: 3, knownAs: 'acme/infra' };
const ISSUE = { repository: REPOSITORY, number: 17 };
const BRANCH = 'doaas/adopt-17';

let dir = '';
let store: Store;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-askers-'));
  store = await openStore({ file: join(dir, 'store.sqlite') });
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true });
});

const adopt = (actor: string, actorId?: number): IssueRequest => ({
  command: 'adopt',
  actor,
  ...(actorId === undefined ? {} : { actorId }),
  at: '2026-01-01T00:00:00Z',
  commentId: 5,
  headSha: undefined,
});
const ask = (request: IssueRequest, refused?: string) => auditRequest({ store }, ISSUE, request, refused);
const counts = async (login: string, id: number) =>
  !(await askersOf({ store }, REPOSITORY, BRANCH)).some((asker) => sameAccount(asker, { login, id }));

test('whoever asked for an adoption stays its author under a new name, and whoever takes the old one is not', async () => {
  await ask(adopt('ann', 7));
  expect([await counts('ann', 7), await counts('ann2', 7)]).toEqual([false, false]);
  expect([await counts('ann', 8), await counts('bob', 9)]).toEqual([true, true]);
});

test('one who asked an older engine, which kept no ids, is known by name', async () => {
  await ask(adopt('ann'));
  expect([await counts('Ann', 7), await counts('bob', 9)]).toEqual([false, true]);
});

/** One more than a page, in one commit. */
async function aPageOf(entry: AuditEntry): Promise<void> {
  const { db, close } = openSqlite({ file: join(dir, 'store.sqlite'), unhurried: true });
  try {
    await db.transaction().execute(async (tx) => {
      for (let n = 0; n <= AUDIT_PAGE_MAX; n++) await appendAudit(tx, 'sqlite', entry, 0);
    });
  } finally {
    await close();
  }
}

test('neither what was refused before, nor what else was asked, hides who asked', {
  timeout: 60_000,
}, async () => {
  await ask(adopt('mallory', 9), 'needs write access');
  await ask(adopt('bob', 8));
  for (const { who, what, detail } of await store.audit.list())
    await aPageOf({ who, what, detail, repository: 'acme/infra', pull: 17 });
  await ask({ ...adopt('carl', 6), command: 'unlock' });
  await ask(adopt('ann', 7));
  const kept = await store.audit.list({ what: ['refused-adopt'] });
  expect(kept).toHaveLength(AUDIT_PAGE_MAX);
  expect(await askersOf({ store }, REPOSITORY, BRANCH)).toEqual([
    { login: 'bob', id: 8 },
    { login: 'ann', id: 7 },
  ]);
});

test('what was asked is kept once, however often it is looked at again, and beside it that it was refused then', async () => {
  const merged = { ...adopt('ann'), commentId: undefined };
  for (const request of [adopt('ann'), adopt('ann'), merged, merged, { ...adopt('ann'), commentId: 6 }])
    await ask(request);
  await ask(adopt('ann'), 'needs write access');
  await ask(adopt('ann'), 'needs write access');
  const kept = await store.audit.list();
  expect(kept.map(({ what }) => what)).toEqual(['ask-adopt', 'ask-adopt', 'ask-adopt', 'refused-adopt']);
});

test('a branch of another name has nobody who asked', async () => {
  await ask(adopt('ann', 7));
  for (const branch of ['main', 'doaas/adopt-1', 'doaas/adopt-17x'])
    expect(await askersOf({ store }, REPOSITORY, branch)).toEqual([]);
});
