import type { SqliteDatabase } from 'kysely';
import type Database from 'libsql';

export interface Reopening {
  /** For the dialect. */
  readonly database: SqliteDatabase;
  readonly inTransaction: () => boolean;
  readonly close: () => void;
}

/**
 * A connection that is replaced after it met a lock. SQLite keeps a statement that found the file locked ready to be stepped again, and libsql
 * cannot reset one, so it stays in progress until it is collected as garbage. Until then each commit of its connection is refused
 * ("SQL statements in progress"), and what it sees grows old, however often the caller tries again.
 */
export function reopening(open: () => Database.Database): Reopening {
  let current = open();
  let isSpoilt = false;
  const usable = (): Database.Database => {
    // what was begun is rolled back where it was begun
    if (isSpoilt && !current.inTransaction) {
      const next = open();
      current.close();
      current = next;
      isSpoilt = false;
    }
    return current;
  };
  const watched = <T>(
    use: (parameters: readonly unknown[]) => T,
  ): ((parameters: readonly unknown[]) => T) => {
    return (parameters) => {
      try {
        return use(parameters);
      } catch (error) {
        isSpoilt ||= isBusy(error);
        throw error;
      }
    };
  };
  const close = (): void => {
    if (current.open) current.close();
  };
  return {
    inTransaction: () => current.inTransaction,
    close,
    database: {
      close,
      prepare: (sql) => {
        const statement = usable().prepare(sql);
        return {
          reader: statement.reader,
          all: watched((parameters) => statement.all(parameters)),
          run: watched((parameters) => statement.run(parameters)),
          iterate: watched((parameters) => statement.iterate(parameters)),
        };
      },
    },
  };
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('SQLITE_BUSY')
  );
}
