import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, Migrator, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from './migrate.ts';
import { migrations } from './migrations.ts';
import { packed } from './packed.ts';
import type { Schema } from './schema.ts';
import { openSqlite } from './sqlite.ts';
import { openStore } from './store.ts';

const history = migrations('sqlite');
const versions = Object.keys(history);
/** Every version that an engine may have left its store in. */
const older = versions.slice(0, -1);

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-upgrade-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The store as the engine of that version left it, in the middle of a run. */
async function leftBy(version: string): Promise<string> {
  const file = join(await mkdtemp(join(dir, 'store-')), 'store.sqlite');
  const { db, close } = openSqlite({ file });
  const known = Object.fromEntries(Object.entries(history).filter(([name]) => name <= version));
  const migrator = new Migrator({ db, provider: { getMigrations: async () => known } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  await fill(db, version);
  await close();
  return file;
}

async function fill(db: Kysely<Schema>, version: string): Promise<void> {
  const plan = Buffer.from('{}');
  await sql`insert into blobs values ('aa', ${Buffer.from('content')}, 1)`.execute(db);
  await sql`insert into plans values ('d1', ${plan}, 1)`.execute(db);
  await sql`insert into runs values ('pr1-1', 'acme/infra', 1, 'apply', 'd1', 'h1', 'b1', null, 'applying', 1000, null, 'ann', '{"a":1}')`.execute(
    db,
  );
  await sql`insert into receipts values ('pr1-1', 'web-1', 'id-1', 'file:/a', 'done', null, null, 1001, '{}')`.execute(
    db,
  );
  await sql`insert into locks values ('id-1', 'pr1-1', 'deployment:pr1-1', 7, 1000, 'acme/infra#1')`.execute(
    db,
  );
  await sql`insert into lock_queue (run_id, workflow_id, hosts, asked_at, pull, why) values ('pr2-1', 'deployment:pr2-1', '["id-1"]', 1002, 'acme/infra#2', '')`.execute(
    db,
  );
  await sql`insert into hosts values ('id-2', 1, 'a dead run', 1)`.execute(db);
  if (version >= '0003')
    await sql`insert into drift values ('acme/infra', 'Configuration/web', 'web-1', 'file:/a', 'a', 1, ${JSON.stringify(tracesOf(version, ['mysql -pHunter2']))})`.execute(
      db,
    );
  if (version >= '0020') {
    await sql`insert into security_known values ('acme/infra', 'web-1', 'server', 5, ${packed(Buffer.from(JSON.stringify(SEEN)))})`.execute(
      db,
    );
    await sql`insert into security_uploads values ('acme/infra', 0)`.execute(db);
  } else if (version >= '0019')
    await sql`insert into security_hosts values ('acme/infra', 'web-1', 5, ${packed(Buffer.from(JSON.stringify(SEEN)))})`.execute(
      db,
    );
  // with the chain came a column that is part of what is checked, so only entries from before it are made here
  if (version < '0002')
    for (const who of ['ann', 'bob'])
      await sql`insert into audit (at, who, what, detail) values (1, ${who}, 'apply', '{}')`.execute(db);
}

/** Of a server, for the security report. */
const SEEN = { kind: 'unread', host: 'web-1', problem: 'it was away' };

/** Engines up to 0012 kept whole commands, which are forgotten; later ones keep what may be told. */
function tracesOf(version: string, upTo12: readonly string[]): readonly string[] {
  return version < '0013' ? upTo12 : ['mysql'];
}

describe('a store that an older engine left in the middle of a run', () => {
  it.each(older)('after %s is brought up to date and says the same', async (version) => {
    const file = await leftBy(version);
    const store = await openStore({ file });
    try {
      expect(await store.runs.open()).toMatchObject([{ id: 'pr1-1', state: 'applying', actor: 'ann' }]);
      expect(await store.receipts.ofRun('pr1-1')).toMatchObject([{ stepId: 'file:/a', state: 'done' }]);
      expect(await store.locks.list()).toMatchObject([{ host: 'id-1', runId: 'pr1-1', fence: 7 }]);
      expect(await store.locks.queue()).toMatchObject([{ runId: 'pr2-1' }]);
      expect(await store.hosts.needRecovery()).toMatchObject([{ identity: 'id-2' }]);
      const drifted = version < '0003' ? [] : [{ stepId: 'file:/a', traces: tracesOf(version, []) }];
      expect(await store.drift.of('acme/infra')).toMatchObject(drifted);
      const seen = (await store.securityHosts.remembered('acme/infra', ['web-1'])).get('web-1');
      expect(seen).toEqual(version < '0019' ? undefined : [{ part: 'server', body: SEEN, at: 5 }]);
      expect(await store.securityHosts.lastUpload('acme/infra')).toBe(version < '0019' ? undefined : 0);
      expect(Buffer.from((await store.blobs.get('aa')) ?? '').toString()).toBe('content');
      const before = version < '0002' ? 2 : 0;
      await store.audit.append({ who: 'carol', what: 'upgrade' });
      expect(await store.audit.verify()).toMatchObject({ entries: before + 1 });
      expect((await store.audit.verify()).brokenAt).toBeUndefined();
      // the run goes on: its lock is known to be its own, and then given back
      expect(await store.locks.fenceOf('pr1-1', 'id-1')).toMatchObject({ number: 7 });
      expect((await store.locks.release('pr1-1')).next).toMatchObject([{ runId: 'pr2-1' }]);
    } finally {
      await store.close();
    }
  });

  it('is not read before an engine of this version has opened it', async () => {
    const file = await leftBy(older.at(-1) ?? '');
    await expect(openStore({ file }, { readOnly: true })).rejects.toMatchObject({
      type: 'store-version',
      message: expect.stringContaining('Start the engine once'),
    });
  });
});

it.each(older)(
  'an engine of %s refuses the store of this one, and changes nothing in it',
  async (version) => {
    const file = join(dir, `newer-than-${version}.sqlite`);
    const store = await openStore({ file });
    await store.audit.append({ who: 'ann', what: 'apply' });
    await store.close();
    const { db, close } = openSqlite({ file });
    const known = Object.fromEntries(Object.entries(history).filter(([name]) => name <= version));
    await expect(migrate({ db, dialect: 'sqlite' }, () => known)).rejects.toMatchObject({
      type: 'store-version',
      message: expect.stringContaining('written by a newer engine'),
    });
    await close();
    const again = await openStore({ file });
    expect(await again.audit.list()).toMatchObject([{ who: 'ann' }]);
    await again.close();
  },
);
