import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { StoreError, toStoreError } from './error.ts';
import { guardedDialect } from './guarded-dialect.ts';
import { reopening } from './reopening.ts';
import type { Schema } from './schema.ts';

/** How long a statement waits for another process (a reader's checkpoint, a backup) before `store-locked`. */
const BUSY_TIMEOUT_MS = 5_000;

export interface SqliteOptions {
  /** Path of the database file; its folder is made when missing. */
  readonly file: string;
  /** Opens beside a running engine, for reading only. */
  readonly readOnly?: boolean;
  /** One more connection of the file's owner, which does not wait for the disk: a power cut may undo its last commits. */
  readonly unhurried?: boolean;
}

export interface OpenDatabase {
  readonly db: Kysely<Schema>;
  readonly close: () => Promise<void>;
}

/** Opens the file durably: WAL and synchronous FULL, so that a committed write survives a power cut. */
export function openSqlite({ file, readOnly = false, unhurried = false }: SqliteOptions): OpenDatabase {
  const owner = readOnly || unhurried ? undefined : own(file);
  try {
    const connection = reopening(() => connect(file, readOnly, unhurried ? 'NORMAL' : 'FULL'));
    const inner = new SqliteDialect({ database: connection.database });
    const db = new Kysely<Schema>({ dialect: guardedDialect(inner, file, connection.inTransaction) });
    const close = async (): Promise<void> => {
      await db.destroy();
      connection.close();
      owner?.close();
    };
    return { db, close };
  } catch (error) {
    owner?.close();
    throw toStoreError(error, file);
  }
}

function connect(file: string, readOnly: boolean, synchronous: 'NORMAL' | 'FULL'): Database.Database {
  const database = new Database(file);
  try {
    if (!readOnly) chmodSync(file, 0o600);
    configure(database, readOnly, synchronous);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function configure(database: Database.Database, readOnly: boolean, synchronous: 'NORMAL' | 'FULL'): void {
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  if (readOnly) {
    // libsql ignores better-sqlite3's `readonly` option.
    database.pragma('query_only = ON');
    return;
  }
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${synchronous}`);
}

/**
 * Marks this process as the one engine of the file: an exclusive transaction, held while open, on a small SQLite
 * file beside it. The system drops that lock when the process ends, however it ends.
 */
function own(file: string): Database.Database {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const owner = new Database(`${file}.owner`);
    try {
      owner.exec('begin exclusive');
      return owner;
    } catch (error) {
      owner.close();
      throw error;
    }
  } catch (error) {
    if (toStoreError(error, file).type !== 'store-locked') throw toStoreError(error, file);
    throw new StoreError(
      'store-locked',
      `Another engine has the store ${file} open. One engine owns a SQLite store: stop the other one, give this one ` +
        'its own file, or set DATABASE_URL to share a PostgreSQL between several.',
      error,
    );
  }
}
