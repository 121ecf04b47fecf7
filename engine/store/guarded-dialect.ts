import type { DatabaseConnection, Dialect, Driver } from 'kysely';
import { StoreError, toStoreError } from './error.ts';

/**
 * The dialect, with every error of its driver turned into a `StoreError` in this one place. `inTransaction` says
 * whether there is still something to roll back: SQLite has done so itself when the disk is full, and a second
 * rollback would hide that first error.
 */
export function guardedDialect(inner: Dialect, where: string, inTransaction = () => true): Dialect {
  return {
    createAdapter: () => inner.createAdapter(),
    createDriver: () => guardedDriver(inner.createDriver(), where, inTransaction),
    createIntrospector: (db) => inner.createIntrospector(db),
    createQueryCompiler: () => inner.createQueryCompiler(),
  };
}

function guardedDriver(inner: Driver, where: string, inTransaction: () => boolean): Driver {
  // The inner driver keeps its own connection objects apart by identity, so it must get them back unwrapped.
  const innerOf = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const unwrap = (connection: DatabaseConnection): DatabaseConnection =>
    innerOf.get(connection) ?? connection;
  const guard = guardWith(where);
  return {
    init: () => guard(() => inner.init()),
    acquireConnection: async () => {
      const connection = await guard(() => inner.acquireConnection());
      const guarded = guardedConnection(connection, where);
      innerOf.set(guarded, connection);
      return guarded;
    },
    beginTransaction: (c, settings) => guard(() => inner.beginTransaction(unwrap(c), settings)),
    commitTransaction: (c) => guard(() => inner.commitTransaction(unwrap(c))),
    rollbackTransaction: async (c) => {
      try {
        await guard(async () => {
          if (inTransaction()) await inner.rollbackTransaction(unwrap(c));
        });
      } catch (error) {
        // a server that is gone rolls back by itself, and why it is gone is the error that brought us here
        if (!(error instanceof StoreError && error.type === 'store-unavailable')) throw error;
      }
    },
    releaseConnection: (c) => guard(() => inner.releaseConnection(unwrap(c))),
    destroy: () => guard(() => inner.destroy()),
  };
}

function guardedConnection(inner: DatabaseConnection, where: string): DatabaseConnection {
  const guard = guardWith(where);
  return {
    executeQuery: (query) => guard(() => inner.executeQuery(query)),
    streamQuery: (query, chunkSize) => inner.streamQuery(query, chunkSize),
  };
}

function guardWith(where: string): <T>(work: () => Promise<T>) => Promise<T> {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      throw toStoreError(error, where);
    }
  };
}
