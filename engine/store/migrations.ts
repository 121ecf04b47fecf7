import { type Kysely, type Migration, type SchemaModule, sql } from 'kysely';
import { CHAIN_START, chainHash, type LinkedEntry } from './auditChain.ts';
import type { Dialect } from './schema.ts';
import {
  auditByVerb,
  auditKey,
  driftTable,
  forgetTraces,
  hostKeysTable,
  keysTable,
  knownAs,
  leasesTable,
  leftHostsTable,
  lockPriority,
  lockUnits,
  pullsTable,
  pushesTable,
  runHostsTable,
  securityHostsTable,
  securityKnownTables,
  settledTable,
  verdictTable,
} from './tables.ts';

/**
 * The schema's history, oldest first, forward only: a migration that was released is never edited; a change is a
 * new entry. Names sort in the order of time. The types of `schema.ts` describe the state after the last one.
 */
export function migrations(dialect: Dialect): Readonly<Record<string, Migration>> {
  return {
    '0001_first': { up: (db) => first(db, dialect) },
    '0002_audit_chain': { up: (db) => auditChain(db, dialect) },
    '0003_drift': { up: (db) => driftTable(db.schema) },
    '0004_pulls': { up: (db) => pullsTable(db.schema) },
    '0005_inbox': { up: (db) => inboxForDeliveries(db, dialect) },
    '0006_keys': { up: (db) => keysTable(db.schema, dialect) },
    '0007_verdicts': { up: (db) => verdictTable(db.schema) },
    '0008_host_keys': { up: (db) => hostKeysTable(db.schema) },
    '0009_lock_priority': { up: (db) => lockPriority(db.schema) },
    '0010_settled': { up: (db) => settledTable(db.schema) },
    '0011_known_as': { up: knownAs },
    '0012_left_hosts': { up: (db) => leftHostsTable(db.schema) },
    '0013_traces': { up: forgetTraces },
    '0014_pushes': { up: (db) => pushesTable(db.schema) },
    '0015_audit_by_what': { up: (db) => auditByVerb(db.schema) },
    '0016_audit_key': { up: (db) => auditKey(db.schema) },
    '0017_leases': { up: (db) => leasesTable(db.schema) },
    '0018_run_hosts': { up: (db) => runHostsTable(db.schema, dialect) },
    '0019_security_hosts': { up: (db) => securityHostsTable(db.schema, dialect) },
    '0020_security_known': { up: (db) => securityKnownTables(db, dialect) },
    '0021_lock_units': { up: (db) => lockUnits(db.schema) },
  };
}

/** The schema of the inbox's own SQLite file. */
export function inboxMigrations(dialect: Dialect): Readonly<Record<string, Migration>> {
  return { '0001_inbox': { up: ({ schema }) => inboxTable(schema, dialect) } };
}

/** With PostgreSQL the inbox stands beside the rest; with SQLite it has a file of its own. */
async function inboxForDeliveries({ schema }: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await schema.dropTable('deliveries').execute();
  if (dialect === 'postgres') await inboxTable(schema, dialect);
}

async function inboxTable(schema: SchemaModule, dialect: Dialect): Promise<void> {
  const table = schema.createTable('inbox');
  const numbered =
    dialect === 'sqlite'
      ? table.addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
      : table.addColumn('seq', 'bigserial', (c) => c.primaryKey());
  await numbered
    .addColumn('guid', 'text', (c) => c.notNull().unique())
    .addColumn('lane', 'text', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addColumn('not_before', 'bigint', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('handed_on_at', 'bigint')
    .execute();
  const waiting = sql<boolean>`handed_on_at is null`;
  await schema.createIndex('inbox_waiting').on('inbox').column('seq').where(waiting).execute();
  await schema.createIndex('inbox_lanes').on('inbox').columns(['lane', 'seq']).where(waiting).execute();
  await schema
    .createIndex('inbox_by_age')
    .on('inbox')
    .column('handed_on_at')
    .where(sql<boolean>`handed_on_at is not null`)
    .execute();
}

async function first(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { schema } = db;
  await webhookTables(schema);
  await planTables(schema, dialect);
  await runTables(schema);
  await lockTables(schema, dialect);
  await hostTables(schema);
  await auditTable(db, dialect);
}

async function webhookTables(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('deliveries')
    .addColumn('guid', 'text', (c) => c.primaryKey())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .execute();
  await schema.createIndex('deliveries_by_age').on('deliveries').column('received_at').execute();
  await schema
    .createTable('repositories')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('owner', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('default_branch', 'text', (c) => c.notNull())
    .addColumn('installation_id', 'text')
    .execute();
  await schema.createIndex('repositories_by_name').on('repositories').columns(['owner', 'name']).execute();
}

async function planTables(schema: SchemaModule, dialect: Dialect): Promise<void> {
  const binary = dialect === 'sqlite' ? ('blob' as const) : ('bytea' as const);
  await schema
    .createTable('plans')
    .addColumn('digest', 'text', (c) => c.primaryKey())
    .addColumn('body', binary, (c) => c.notNull())
    .addColumn('stored_at', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('plan_uses')
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('head_sha', 'text', (c) => c.notNull())
    .addColumn('base_sha', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('plan_uses_key', ['repository', 'number', 'digest', 'head_sha', 'base_sha'])
    .execute();
  await schema.createIndex('plan_uses_by_digest').on('plan_uses').column('digest').execute();
  await schema
    .createTable('blobs')
    .addColumn('sha256', 'text', (c) => c.primaryKey())
    .addColumn('bytes', binary, (c) => c.notNull())
    .addColumn('stored_at', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('plan_blobs')
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('sha256', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('plan_blobs_key', ['digest', 'sha256'])
    .execute();
  await schema.createIndex('plan_blobs_by_sha').on('plan_blobs').column('sha256').execute();
}

async function runTables(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('runs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('pull_number', 'integer')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('plan_digest', 'text')
    .addColumn('head_sha', 'text')
    .addColumn('base_sha', 'text')
    .addColumn('merge_sha', 'text')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('detail', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createIndex('runs_by_pull')
    .on('runs')
    .columns(['repository', 'pull_number', 'started_at'])
    .execute();
  await schema.createIndex('runs_by_state').on('runs').column('state').execute();
  await schema
    .createTable('receipts')
    .addColumn('run_id', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('host_identity', 'text', (c) => c.notNull())
    .addColumn('step_id', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('before_hash', 'text')
    .addColumn('after_hash', 'text')
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('detail', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('receipts_key', ['run_id', 'host', 'step_id'])
    .execute();
  await schema.createIndex('receipts_by_host').on('receipts').columns(['host_identity', 'at']).execute();
}

async function lockTables(schema: SchemaModule, dialect: Dialect): Promise<void> {
  await schema
    .createTable('locks')
    .addColumn('host_identity', 'text', (c) => c.primaryKey())
    .addColumn('run_id', 'text', (c) => c.notNull())
    .addColumn('workflow_id', 'text', (c) => c.notNull())
    .addColumn('fence', 'bigint', (c) => c.notNull())
    .addColumn('taken_at', 'bigint', (c) => c.notNull())
    .addColumn('pull', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('locks_by_run').on('locks').column('run_id').execute();
  const queue = schema.createTable('lock_queue');
  const numbered =
    dialect === 'sqlite'
      ? queue.addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      : queue.addColumn('id', 'bigserial', (c) => c.primaryKey());
  await numbered
    .addColumn('run_id', 'text', (c) => c.notNull().unique())
    .addColumn('workflow_id', 'text', (c) => c.notNull())
    .addColumn('hosts', 'text', (c) => c.notNull())
    .addColumn('asked_at', 'bigint', (c) => c.notNull())
    .addColumn('pull', 'text', (c) => c.notNull())
    .addColumn('why', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('counters')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'bigint', (c) => c.notNull())
    .execute();
}

async function hostTables(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('hosts')
    .addColumn('identity', 'text', (c) => c.primaryKey())
    .addColumn('needs_recovery', 'integer', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('host_facts')
    .addColumn('identity', 'text', (c) => c.primaryKey())
    .addColumn('facts', 'text', (c) => c.notNull())
    .addColumn('first_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('seen_at', 'bigint', (c) => c.notNull())
    .execute();
}

async function auditTable(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const table = db.schema.createTable('audit');
  const numbered =
    dialect === 'sqlite'
      ? table.addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
      : table.addColumn('seq', 'bigserial', (c) => c.primaryKey());
  await numbered
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('what', 'text', (c) => c.notNull())
    .addColumn('repository', 'text')
    .addColumn('pull', 'integer')
    .addColumn('head_sha', 'text')
    .addColumn('digest', 'text')
    .addColumn('detail', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('audit_by_pull').on('audit').columns(['repository', 'pull', 'seq']).execute();
  for (const statement of dialect === 'sqlite' ? APPEND_ONLY_SQLITE : APPEND_ONLY_POSTGRES) {
    await statement.execute(db);
  }
}

/** The database itself refuses to rewrite the audit log, so that a defect of the engine cannot. */
const APPEND_ONLY_SQLITE = [
  sql`create trigger audit_no_update before update on audit begin select raise(abort, 'the audit log is append-only'); end`,
  sql`create trigger audit_no_delete before delete on audit begin select raise(abort, 'the audit log is append-only'); end`,
];
const APPEND_ONLY_POSTGRES = [
  sql`create function audit_append_only() returns trigger language plpgsql as $body$ begin raise exception 'the audit log is append-only'; end $body$`,
  sql`create trigger audit_append_only before update or delete or truncate on audit for each statement execute function audit_append_only()`,
];

/** Chains the entries that are there already, in their order; the only time that they are written again. */
async function auditChain(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await db.schema
    .alterTable('audit')
    .addColumn('hash', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
  await db.schema.createIndex('audit_by_hash').on('audit').column('hash').execute();
  for (const statement of dialect === 'sqlite' ? THAW_SQLITE : THAW_POSTGRES) await statement.execute(db);
  const { rows } = await sql<LinkedEntry>`select * from audit order by seq`.execute(db);
  let head = CHAIN_START;
  for (const row of rows) {
    head = chainHash(head, { ...row, at: Number(row.at) });
    await sql`update audit set hash = ${head} where seq = ${row.seq}`.execute(db);
  }
  for (const statement of dialect === 'sqlite' ? APPEND_ONLY_SQLITE : FREEZE_POSTGRES)
    await statement.execute(db);
}

const THAW_SQLITE = [sql`drop trigger audit_no_update`, sql`drop trigger audit_no_delete`];
const THAW_POSTGRES = [sql`alter table audit disable trigger audit_append_only`];
const FREEZE_POSTGRES = [sql`alter table audit enable trigger audit_append_only`];
