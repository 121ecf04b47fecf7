import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
