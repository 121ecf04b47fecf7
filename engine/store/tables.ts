/** What a migration of its own brought; like it, never edited. */
import { type Kysely, type SchemaModule, sql } from 'kysely';
import type { Dialect } from './schema.ts';

export async function driftTable(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('drift')
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('document', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('step_id', 'text', (c) => c.notNull())
    .addColumn('summary', 'text', (c) => c.notNull())
    .addColumn('first_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('traces', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('drift_key', ['repository', 'document', 'host', 'step_id'])
    .execute();
}

/** Engines before this one kept whole command lines. The next reading tells anew who it was, without the arguments. */
export async function forgetTraces(db: Kysely<unknown>): Promise<void> {
  await sql`update drift set traces = '[]'`.execute(db);
}

export async function pullsTable(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('pulls')
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('head_sha', 'text', (c) => c.notNull())
    .addColumn('open', 'integer', (c) => c.notNull())
    .addColumn('seen_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('pulls_key', ['repository', 'number'])
    .execute();
}

export async function keysTable(schema: SchemaModule, dialect: Dialect): Promise<void> {
  await schema
    .createTable('keys')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('key', dialect === 'sqlite' ? 'blob' : 'bytea', (c) => c.notNull())
    .execute();
}

export async function verdictTable(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('verdicts')
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('head_sha', 'text', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('judged_at', 'bigint', (c) => c.notNull())
    .addColumn('verdict', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('verdicts_key', ['repository', 'number'])
    .execute();
}

export async function hostKeysTable(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('host_keys')
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('server', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('host_key', 'text', (c) => c.notNull())
    .addColumn('first_seen_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('host_keys_key', ['repository', 'server', 'address'])
    .execute();
}

export async function pushesTable(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('pushes')
    .addColumn('repository_id', 'bigint', (c) => c.notNull())
    .addColumn('branch', 'text', (c) => c.notNull())
    .addColumn('before_sha', 'text', (c) => c.notNull())
    .addColumn('after_sha', 'text', (c) => c.notNull())
    .addColumn('account_id', 'bigint', (c) => c.notNull())
    .addColumn('login', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('pushes_key', [
      'repository_id',
      'branch',
      'before_sha',
      'after_sha',
      'account_id',
    ])
    .execute();
  await schema.createIndex('pushes_by_time').on('pushes').column('at').execute();
}

/** Entries of one verb are counted at each scrape. */
export async function auditByVerb(schema: SchemaModule): Promise<void> {
  await schema.createIndex('audit_by_what').on('audit').column('what').execute();
}

export async function lockPriority(schema: SchemaModule): Promise<void> {
  await schema
    .alterTable('lock_queue')
    .addColumn('urgent', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
}

/** What locked hosts are members of: a JSON list with each lock, a record by host with each waiter. */
export async function lockUnits(schema: SchemaModule): Promise<void> {
  const column = async (table: string, none: string) =>
    schema
      .alterTable(table)
      .addColumn('units', 'text', (c) => c.notNull().defaultTo(none))
      .execute();
  await column('locks', '[]');
  await column('lock_queue', '{}');
}

/** Hosts of held runs on which a person has left everything as it is. */
export async function leftHostsTable(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('left_hosts')
    .addColumn('run_id', 'text', (c) => c.notNull())
    .addColumn('host_identity', 'text', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('left_hosts_key', ['run_id', 'host_identity'])
    .execute();
}

/** What may stand in the log once only; not under the hash, for the entry itself says it. */
export async function auditKey(schema: SchemaModule): Promise<void> {
  await schema.alterTable('audit').addColumn('key', 'text').execute();
  await schema.createIndex('audit_by_key').unique().on('audit').column('key').execute();
}

export async function settledTable(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('settled')
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('identity', 'text', (c) => c.notNull())
    .addColumn('items', 'text', (c) => c.notNull())
    .addColumn('returnable', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('settled_key', ['repository', 'identity'])
    .execute();
}

/** What a run needs of its hosts, so that no git is needed once it has begun. */
export async function runHostsTable(schema: SchemaModule, dialect: Dialect): Promise<void> {
  await schema
    .createTable('run_hosts')
    .addColumn('run_id', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('body', dialect === 'sqlite' ? 'blob' : 'bytea', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('run_hosts_key', ['run_id', 'host'])
    .execute();
}

/** The newest reading of each server for the security report. */
export async function securityHostsTable(schema: SchemaModule, dialect: Dialect): Promise<void> {
  await schema
    .createTable('security_hosts')
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('reading', 'bigint', (c) => c.notNull())
    .addColumn('body', dialect === 'sqlite' ? 'blob' : 'bytea', (c) => c.notNull())
    .addPrimaryKeyConstraint('security_hosts_key', ['repository', 'host'])
    .execute();
}

/**
 * What was known last of each part of a server, which outlives readings that cannot see it, and the newest upload. A store from before
 * has the whole of each server that was read last, and has seen all that was uploaded of its repositories.
 */
export async function securityKnownTables(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await db.schema
    .createTable('security_known')
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('part', 'text', (c) => c.notNull())
    .addColumn('reading', 'bigint', (c) => c.notNull())
    .addColumn('body', dialect === 'sqlite' ? 'blob' : 'bytea', (c) => c.notNull())
    .addPrimaryKeyConstraint('security_known_key', ['repository', 'host', 'part'])
    .execute();
  await db.schema
    .createTable('security_uploads')
    .addColumn('repository', 'text', (c) => c.primaryKey())
    .addColumn('reading', 'bigint', (c) => c.notNull())
    .execute();
  await sql`insert into security_uploads (repository, reading) select distinct repository, 0 from security_hosts`.execute(
    db,
  );
  await sql`insert into security_known (repository, host, part, reading, body) select repository, host, 'server', reading, body from security_hosts`.execute(
    db,
  );
}

/** What one process at a time may do. */
export async function leasesTable(schema: SchemaModule): Promise<void> {
  await schema
    .createTable('leases')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('holder', 'text', (c) => c.notNull())
    .addColumn('beat', 'bigint', (c) => c.notNull())
    .execute();
}

/**
 * What was kept under a name until now stays with the oldest repository that had it (GitHub's ids count up); another one
 * that took the name over gets its id behind it.
 */
export async function knownAs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('repositories')
    .addColumn('known_as', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
  await sql`update repositories set known_as = owner || '/' || name`.execute(db);
  await sql`update repositories set known_as = known_as || '@' || id where exists (
    select 1 from repositories older where lower(older.owner || '/' || older.name)
      = lower(repositories.owner || '/' || repositories.name) and cast(older.id as bigint) < cast(repositories.id as bigint))`.execute(
    db,
  );
  await sql`create unique index repositories_by_known_as on repositories (lower(known_as))`.execute(db);
}
