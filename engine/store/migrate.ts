import { type Migration, Migrator } from 'kysely';
import { StoreError, toStoreError } from './error.ts';
import { migrations } from './migrations.ts';
import type { Connection, Dialect } from './schema.ts';

/** A schema's history; the store and the inbox's own file have one each. */
type History = (dialect: Dialect) => Readonly<Record<string, Migration>>;

/**
 * Brings the schema to this engine's version. Two engines that start together do it one after the other: Kysely's
 * migrator holds PostgreSQL's advisory lock, and a SQLite file has one owner.
 */
export async function migrate(connection: Connection, history: History): Promise<void> {
  const { error } = await migrator(connection, history)
    .migrateToLatest()
    .catch((thrown: unknown) => ({ error: thrown }));
  if (error === undefined) return;
  if (await isNewer(connection, history)) throw newerSchema();
  throw toStoreError(error, 'preparing the schema');
}

/** For a reader, who may not write: refuses a schema that is not this engine's own. */
export async function requireCurrentSchema(connection: Connection): Promise<void> {
  if (await isNewer(connection, migrations)) throw newerSchema();
  const pending = (await migrator(connection, migrations).getMigrations()).filter(
    (m) => m.executedAt === undefined,
  );
  if (pending.length > 0) {
    throw new StoreError(
      'store-version',
      'The store was never opened by an engine of this version. Start the engine once, then read again.',
    );
  }
}

function migrator({ db, dialect }: Connection, history: History): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => ({ ...history(dialect) }) } });
}

async function isNewer({ db, dialect }: Connection, history: History): Promise<boolean> {
  const known = history(dialect);
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true }).catch(() => []);
  if (!tables.some((t) => t.name === 'kysely_migration')) return false;
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .execute();
  return rows.some((row) => !(row.name in known));
}

function newerSchema(): StoreError {
  return new StoreError(
    'store-version',
    'The store was written by a newer engine. Run that version again, or give this one a store of its own.',
  );
}
