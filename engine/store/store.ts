import { auditIn } from './audit.ts';
import { blobsIn } from './blobs.ts';
import { driftIn } from './drift.ts';
import { StoreError } from './error.ts';
import { hostKeysIn } from './hostKeys.ts';
import { hostsIn, type Recovery } from './hosts.ts';
import { keysIn } from './keys.ts';
import { leasesIn } from './leases.ts';
import { leaveDead } from './leave.ts';
import { locksIn } from './locks.ts';
import { migrate, requireCurrentSchema } from './migrate.ts';
import { migrations } from './migrations.ts';
import { momentsIn } from './moments.ts';
import { pausesIn } from './pauses.ts';
import { plansIn } from './plans.ts';
import { openPostgres } from './postgres.ts';
import { pullsIn } from './pulls.ts';
import { pushesIn } from './pushes.ts';
import { receiptsIn } from './receipts.ts';
import { repositoriesIn } from './repositories.ts';
import { runHostsIn } from './runHosts.ts';
import { type Run, runsIn } from './runs.ts';
import type { Connection } from './schema.ts';
import { securityHostsIn } from './securityHosts.ts';
import { settledIn } from './settled.ts';
import { openSqlite } from './sqlite.ts';
import type { Clock } from './values.ts';
import { verdictsIn } from './verdicts.ts';

/** Where the store is: a PostgreSQL URL (`DATABASE_URL`), or the path of a SQLite file. */
export type StoreLocation = { readonly url: string } | { readonly file: string };

export interface StoreOptions {
  /** Reads beside a running engine; any write is refused. */
  readonly readOnly?: boolean;
  readonly now?: Clock;
  /** Runs that may wait for locks at one time. */
  readonly lockQueueMax?: number;
}

export type Store = ReturnType<typeof storeOn> & { readonly close: () => Promise<void> };

/**
 * Opens the store and brings its schema up to date. Durable: what a call stored survives a power cut.
 * Every call may throw `StoreError`; see its `type`.
 */
export async function openStore(location: StoreLocation, options: StoreOptions = {}): Promise<Store> {
  const readOnly = options.readOnly ?? false;
  const opened =
    'url' in location ? openPostgres(checkedUrl(location.url)) : openSqlite({ ...location, readOnly });
  const connection: Connection = { db: opened.db, dialect: 'url' in location ? 'postgres' : 'sqlite' };
  try {
    await (readOnly ? requireCurrentSchema(connection) : migrate(connection, migrations));
  } catch (error) {
    await opened.close();
    throw error;
  }
  return { ...storeOn(connection, options), close: opened.close };
}

function storeOn(connection: Connection, { now = Date.now, lockQueueMax }: StoreOptions) {
  return {
    dialect: connection.dialect,
    repositories: repositoriesIn(connection),
    pulls: pullsIn(connection, now),
    pushes: pushesIn(connection, now),
    plans: plansIn(connection, now),
    blobs: blobsIn(connection, now),
    runs: runsIn(connection, now),
    runHosts: runHostsIn(connection, now),
    receipts: receiptsIn(connection, now),
    locks: locksIn(connection, now, lockQueueMax),
    leases: leasesIn(connection),
    pauses: pausesIn(connection),
    hosts: {
      ...hostsIn(connection, now),
      /** What dead runs did on it stays as it is, because a person says so. Recorded in the audit log. */
      leave: (recovery: Recovery, runs: readonly Run[], who: string): Promise<void> =>
        leaveDead(connection, recovery, runs, who, now()),
    },
    hostKeys: hostKeysIn(connection, now),
    drift: driftIn(connection),
    settled: settledIn(connection, now),
    securityHosts: securityHostsIn(connection),
    moments: momentsIn(connection, now),
    keys: keysIn(connection),
    audit: auditIn(connection, now),
    verdicts: verdictsIn(connection, now),
    /** Resolves when the store answers: for `/readyz`. */
    async ping(): Promise<void> {
      await connection.db.selectFrom('counters').select('name').limit(1).execute();
    },
  };
}

/** Names the mistake without the URL itself, which may hold a password. */
function checkedUrl(url: string): string {
  if (/^postgres(ql)?:\/\//.test(url)) return url;
  throw new StoreError('store-failed', 'DATABASE_URL must begin with postgres:// or postgresql://.');
}
