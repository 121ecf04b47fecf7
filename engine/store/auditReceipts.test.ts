import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { verifyReceipts } from './auditReceipts.ts';
import { receiptsDigest, receiptsSha256 } from './receiptsDigest.ts';
import { openStore, type Store } from './store.ts';
import { someReceipt, someRun } from './testing/some.ts';

let dir = '';
let file = '';
let store: Store;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-receipts-'));
  file = join(dir, 'store.sqlite');
  store = await openStore({ file });
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const place = { who: 'ann', repository: 'acme/infra', pull: 5 };
const digestOf = async (run: string) => ({ receiptsDigest: receiptsDigest(await store.receipts.ofRun(run)) });

async function ended(): Promise<string> {
  const { id } = await store.runs.create(someRun());
  await store.receipts.save([{ ...someReceipt(id, 'file:/etc/motd'), state: 'done' }]);
  const detail = { run: id, ...(await digestOf(id)) };
  await store.runs.update(id, { state: 'applied' }, { ...place, what: 'applied', detail });
  return id;
}

/** As somebody who owns the database file could. */
async function edit(statement: string): Promise<void> {
  await store.close();
  const raw = new Database(file);
  raw.exec(statement);
  raw.close();
  store = await openStore({ file });
}

test.each([
  ["state = 'undone'"],
  ['at = at + 1'],
  ["before_hash = 'other'"],
  [`detail = '{"seconds":1}'`],
  ["host_identity = 'another'"],
])('a receipt that was edited (%s) after its run had ended is found', async (change) => {
  const [one, two] = [await ended(), await ended()];
  expect(await verifyReceipts(store)).toEqual({ runs: 2, edited: [] });
  await edit(`update receipts set ${change} where run_id = '${one}'`);
  expect(await verifyReceipts(store)).toEqual({ runs: 2, edited: [one] });
  await edit(`delete from receipts where run_id = '${two}'`);
  expect((await verifyReceipts(store)).edited).toEqual([one, two]);
});

test('entries of older engines are compared by what they name', async () => {
  const { id } = someRun();
  await store.receipts.save([someReceipt(id, 'a')]);
  const sha256 = receiptsSha256(await store.receipts.ofRun(id));
  await store.audit.append({ ...place, what: 'applied', detail: { run: id, receiptsSha256: sha256 } });
  await edit('update receipts set at = at + 1');
  expect(await verifyReceipts(store)).toEqual({ runs: 1, edited: [] });
  await edit("update receipts set state = 'undone'");
  expect((await verifyReceipts(store)).edited).toEqual([id]);
  // which run it took back was not said then
  await store.audit.append({ ...place, what: 'rollback', detail: { run: 'rb5-old' } });
  expect(await verifyReceipts(store)).toEqual({ runs: 0, edited: [] });
});

test('a rollback changes the receipts of the run that it takes back, and vouches for them at its end', async () => {
  const id = await ended();
  await ended();
  const detail = { run: 'rb5-new', of: id };
  await store.audit.append({ ...place, what: 'rollback', detail });
  const [receipt] = await store.receipts.ofRun(id);
  if (receipt === undefined) throw new Error('there is no receipt');
  await store.receipts.save([{ ...receipt, state: 'undone' }]);
  expect(await verifyReceipts(store)).toEqual({ runs: 1, edited: [] });
  const end = { ...detail, ...(await digestOf(id)) };
  await store.audit.append({ ...place, what: 'rolled-back', detail: end });
  expect(await verifyReceipts(store)).toEqual({ runs: 2, edited: [] });
  await edit(`update receipts set state = 'done' where run_id = '${id}'`);
  expect((await verifyReceipts(store)).edited).toEqual([id]);
});
