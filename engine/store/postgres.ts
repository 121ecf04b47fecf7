import { Socket } from 'node:net';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { guardedDialect } from './guarded-dialect.ts';
import type { Schema } from './schema.ts';
import type { OpenDatabase } from './sqlite.ts';

const POOL_CONNECTIONS_MAX = 10;
/** A receiver writes one statement for all deliveries of a moment, a relay a few in turn. */
export const INBOX_CONNECTIONS_MAX = 3;
const CONNECT_TIMEOUT_MS = 5_000;
/** Where GitHub waits for the answer: what swallowed the first try leaves time for another (engine/inbox/watch.ts). */
export const INBOX_CONNECT_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** How long a statement waits for another engine's row or advisory lock before `store-locked`. */
const LOCK_TIMEOUT_MS = 10_000;

/** A server answers or refuses every statement within its time; one that says nothing for longer has lost its power or its network. */
const SILENCE_MAX_MS = 45_000;

/** PostgreSQL's `int8`, which `pg` gives as text by default; ours are times and counters below 2^53. */
const INT8_OID = 20;

export interface PostgresOptions {
  /** Hears of a connection that broke while it had nothing to answer; the pool opens a new one by itself. */
  readonly onLost?: (error: Error) => void;
  /** At most. A server of PostgreSQL has 100 for all, unless it is told otherwise. */
  readonly connections?: number;
  /** Milliseconds until a server that does not answer is `store-unavailable`. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds without a word until a connection is given up, and its statement with it as `store-unavailable`. */
  readonly silenceMaxMs?: number;
}

export function openPostgres(
  url: string,
  {
    onLost = () => {},
    connections = POOL_CONNECTIONS_MAX,
    connectTimeoutMs = CONNECT_TIMEOUT_MS,
    silenceMaxMs = SILENCE_MAX_MS,
  }: PostgresOptions = {},
): OpenDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    application_name: 'doaas',
    stream: () => givenUpAfter(silenceMaxMs),
    types: {
      getTypeParser: (oid, format) => (oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format)),
    },
  });
  // Without listeners a dropped connection would end the process: the pool listens to those that nobody uses, and tells what it hears;
  // to one in use nobody does between two statements of a transaction.
  pool.on('connect', (client) => client.on('error', onLost));
  pool.on('error', () => undefined);
  const db = new Kysely<Schema>({ dialect: guardedDialect(new PostgresDialect({ pool }), 'PostgreSQL') });
  return { db, close: () => db.destroy() };
}

/** The kernel alone would wait for some fifteen minutes (tcp_retries2, tcp(7)). */
function givenUpAfter(silenceMaxMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(silenceMaxMs, () =>
    socket.destroy(new Error(`the server has said nothing for ${silenceMaxMs} ms`)),
  );
}
