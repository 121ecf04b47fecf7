import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fullQueueSuite } from './locks.suite.ts';
import { storeSuite } from './store.suite.ts';
import { openStore } from './store.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-store-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

storeSuite('SQLite', () => openStore({ file: join(dir, 'suite.db') }));
fullQueueSuite(() => openStore({ file: join(dir, 'full.db') }, { lockQueueMax: 2 }));

describe('a SQLite file', () => {
  it('has one engine; the second is told so, and may open it once the first has closed', async () => {
    const file = join(dir, 'owned.db');
    const first = await openStore({ file });
    await expect(openStore({ file })).rejects.toMatchObject({
      type: 'store-locked',
      message: expect.stringContaining('Another engine has the store'),
    });
    await first.close();
    await (await openStore({ file })).close();
  });

  it('can be read beside the engine, never written', async () => {
    const file = join(dir, 'read.db');
    const engine = await openStore({ file });
    const reader = await openStore({ file }, { readOnly: true });
    await engine.audit.append({ who: 'alice', what: 'apply' });
    expect(await reader.audit.list()).toMatchObject([{ who: 'alice' }]);
    await expect(reader.audit.append({ who: 'x', what: 'y' })).rejects.toMatchObject({
      type: 'store-unavailable',
    });
    await reader.close();
    await engine.close();
  });

  it('is written again as soon as nobody else locks it, and sees what they wrote', async () => {
    const file = join(dir, 'locked.db');
    const store = await openStore({ file });
    const other = new Database(file);
    await store.audit.append({ who: 'alice', what: 'apply' });
    other.exec('begin immediate');
    const locked = { type: 'store-locked' };
    await expect(store.audit.append({ who: 'bob', what: 'apply' })).rejects.toMatchObject(locked);
    await expect(store.audit.append({ who: 'bob', what: 'apply' })).rejects.toMatchObject(locked);
    other.exec('rollback');
    await store.audit.append({ who: 'carol', what: 'apply' });
    other.exec('create table others (a)');
    await store.audit.append({ who: 'dave', what: 'apply' });
    expect((await store.audit.list()).map(({ who }) => who).sort()).toEqual(['alice', 'carol', 'dave']);
    other.close();
    await store.close();
  });

  it('is private, survives a reopening, and keeps its audit log from rewriting', async () => {
    const file = join(dir, 'again.db');
    const first = await openStore({ file });
    await first.audit.append({ who: 'alice', what: 'apply' });
    await first.close();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const raw = new Database(file);
    expect(() => raw.exec("update audit set who = 'mallory'")).toThrow('append-only');
    expect(() => raw.exec('delete from audit')).toThrow('append-only');
    raw.close();
    const second = await openStore({ file });
    expect(await second.audit.list()).toMatchObject([{ who: 'alice' }]);
    await second.close();
  });

  it('shows that its audit log was rewritten behind the back of the database', async () => {
    const file = join(dir, 'tampered.db');
    const first = await openStore({ file });
    for (const who of ['alice', 'bob', 'carol']) await first.audit.append({ who, what: 'apply' });
    await first.close();
    const raw = new Database(file);
    raw.exec("drop trigger audit_no_update; update audit set who = 'mallory' where who = 'bob'");
    raw.close();
    const second = await openStore({ file });
    expect(await second.audit.verify()).toMatchObject({ entries: 1, brokenAt: 2 });
    await second.close();
  });

  it('that was written before audit entries were chained gets its chain when it is opened', async () => {
    const file = join(dir, 'unchained.db');
    const first = await openStore({ file });
    for (const who of ['alice', 'bob']) await first.audit.append({ who, what: 'apply' });
    const { head } = await first.audit.verify();
    await first.close();
    const raw = new Database(file);
    raw.exec(`drop index audit_by_hash; drop index audit_by_key; drop index audit_by_what; alter table audit drop column hash; alter table audit drop column key; drop table drift; drop table settled; drop table pulls; drop table keys; drop table verdicts;
      drop table host_keys; drop table left_hosts; drop table leases; drop table run_hosts; drop table security_hosts; drop table security_known; drop table security_uploads; drop table pushes; alter table lock_queue drop column urgent; alter table lock_queue drop column units; alter table locks drop column units; drop index repositories_by_known_as; alter table repositories drop column known_as; create table deliveries (guid text);
      delete from kysely_migration where name > '0001_first'`);
    raw.close();
    const second = await openStore({ file });
    await second.audit.append({ who: 'carol', what: 'apply' });
    expect(await second.audit.verify()).toMatchObject({ entries: 3 });
    expect(await second.audit.has(head)).toBe(true);
    await second.close();
    const after = new Database(file);
    expect(() => after.exec("update audit set who = 'mallory'")).toThrow('append-only');
    after.close();
  });

  it('of a newer engine is refused', async () => {
    const file = join(dir, 'newer.db');
    await (await openStore({ file })).close();
    const raw = new Database(file);
    raw.exec("insert into kysely_migration values ('9999_future', '2030-01-01')");
    raw.close();
    await expect(openStore({ file })).rejects.toMatchObject({ type: 'store-version' });
    await expect(openStore({ file }, { readOnly: true })).rejects.toMatchObject({ type: 'store-version' });
  });

  it('that is no database, or lies where none can be, is named with the next step', async () => {
    await writeFile(join(dir, 'plain'), '');
    await expect(openStore({ file: join(dir, 'plain', 'doaas.db') })).rejects.toMatchObject({
      type: 'store-unavailable',
      message: expect.stringContaining('plain/doaas.db'),
    });
    const file = join(dir, 'junk.db');
    await writeFile(file, 'x'.repeat(5_000));
    await expect(openStore({ file })).rejects.toMatchObject({ type: 'store-unavailable' });
    await expect(openStore({ url: 'mysql://u:secret@h/d' })).rejects.toMatchObject({
      message: expect.not.stringContaining('secret'),
    });
  });
});
