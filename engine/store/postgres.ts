import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { guardedDialect } from './guarded-dialect.ts';
import type { Schema } from './schema.ts';
import type { OpenDatabase } from './sqlite.ts';

const POOL_CONNECTIONS_MAX = 10;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** How long a statement waits for another engine's row or advisory lock before `store-locked`. */
const LOCK_TIMEOUT_MS = 10_000;

/** PostgreSQL's `int8`, which `pg` gives as text by default; ours are times and counters below 2^53. */
const INT8_OID = 20;

/** `onLost` hears of an idle connection that broke; the pool opens a new one by itself. */
export function openPostgres(url: string, onLost: (error: Error) => void = () => {}): OpenDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    application_name: 'doaas',
    types: {
      getTypeParser: (oid, format) => (oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format)),
    },
  });
  // Without a listener a dropped idle connection would end the process.
  pool.on('error', onLost);
  const db = new Kysely<Schema>({ dialect: guardedDialect(new PostgresDialect({ pool }), 'PostgreSQL') });
  return { db, close: () => db.destroy() };
}
