import { randomInt } from 'node:crypto';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { StoreError } from './error.ts';
import { type HeldLock, type Holder, mayTryNow, placeOf, type UnitsOf, type Waiter } from './lock-order.ts';
import { enqueue, LOCK_QUEUE_MAX, queueFull, readQueue, waits } from './lockQueue.ts';
import { keptOf } from './machine.ts';
import type { RunChange } from './runs.ts';
import type { Connection, Schema } from './schema.ts';
import { dropWaiter, takeAway } from './takeAway.ts';
import type { Clock } from './values.ts';

export interface LockRequest {
  readonly runId: string;
  readonly workflowId: string;
  /** Host identities. */
  readonly hosts: readonly string[];
  /** No other run changes a member of one of these units meanwhile. */
  readonly units?: UnitsOf;
  /** Who is waiting or holding, for people: `owner/name#12`. */
  readonly pull: string;
  /** It takes a change back: it goes before every waiter that does not. */
  readonly urgent?: boolean;
  readonly why?: string;
}

export type LockAnswer =
  | { readonly kind: 'granted'; readonly fence: number }
  | {
      readonly kind: 'waiting';
      /** 1 = next, as soon as the holders release. */
      readonly position: number;
      readonly holders: readonly Holder[];
      /** Runs that go before and want one of these hosts, or a member of these units, too, in their order. */
      readonly ahead: readonly (WaitingRun & { readonly pull: string })[];
    };

export interface WaitingRun {
  readonly runId: string;
  readonly workflowId: string;
}

/** A lock's number, and the store that counts. */
export interface LockFence {
  readonly store: string;
  readonly number: number;
}

export interface Released {
  /** Waiters that may now ask again, in their order. */
  readonly next: readonly WaitingRun[];
}

export interface Dropped extends Released {
  /** False: it does not wait any more, or under another workflow. */
  readonly was: boolean;
}

export interface ForceReleased extends Released {
  readonly was: HeldLock | undefined;
  /** What the run left on the host is not undone by the next one. */
  readonly stays: boolean;
}

/** `randomInt` takes no more, and two stores of 2^47 are not equal. */
const STORE_ID_MAX = 2 ** 47;
/** PostgreSQL's advisory lock under which all engines change locks, one at a time: any fixed number. */
const LOCKS_ADVISORY_KEY = 4_405_717;

export function locksIn(connection: Connection, now: Clock, queueMax = LOCK_QUEUE_MAX) {
  const { db, dialect } = connection;
  return {
    /**
     * All hosts or none, first come first served, urgent ones first: a waiter goes before later ones that share a host
     * or a unit with it.
     * Idempotent for the same run: asking again keeps the place, or returns the same fence.
     * Throws `store-conflict` when the run holds some of the hosts but not all (one was released by force), and `store-bound`
     * when it would have to wait and has no place yet in a full queue.
     */
    acquire(request: LockRequest): Promise<LockAnswer> {
      return oneAtATime(connection, (tx) => acquire(tx, request, now(), queueMax));
    },

    /** Gives up what the run holds and its place in the queue. Repeating it is harmless and names the next again. */
    release(runId: string): Promise<Released> {
      return oneAtATime(connection, async (tx) => {
        await tx.deleteFrom('locks').where('run_id', '=', runId).execute();
        await tx.deleteFrom('lock_queue').where('run_id', '=', runId).execute();
        return released(tx);
      });
    },

    /**
     * Takes one host's lock away from the run that was seen to hold it; where another holds it by now nothing is done, and `was`
     * is undefined. Recorded in the audit log. What a held run left there stays, since a person has looked
     * (`stays`), and the run ends with its last lock; a host of any other run needs recovery.
     */
    forceRelease({ host, runId }: Pick<HeldLock, 'host' | 'runId'>, actor: string): Promise<ForceReleased> {
      return oneAtATime(connection, async (tx) => {
        const was = (await readLocks(tx)).find((lock) => lock.host === host && lock.runId === runId);
        const stays = was !== undefined && (await takeAway(tx, dialect, was, actor, now()));
        return { was, stays, ...(await released(tx)) };
      });
    },

    /**
     * Takes the place in the queue of a run whose workflow is dead; the run has ended with it, with this `detail`. Recorded in the
     * audit log.
     */
    drop(waiter: WaitingRun, actor: string, change: Pick<RunChange, 'detail'> = {}): Promise<Dropped> {
      return oneAtATime(connection, async (tx) => {
        const was = await dropWaiter(tx, dialect, { ...waiter, ...change }, actor, now());
        return { was, ...(await released(tx)) };
      });
    },

    async heldBy(runId: string): Promise<readonly HeldLock[]> {
      return (await readLocks(db)).filter((lock) => lock.runId === runId);
    },

    /** What a host of a run is to be shown before an effect; undefined when the run does not hold that machine (any more). */
    async fenceOf(runId: string, host: string): Promise<LockFence | undefined> {
      return keptOf(await fencesOf(db, runId), host);
    },

    /** The same of all hosts that the run holds, by identity. */
    fencesOf(runId: string): Promise<ReadonlyMap<string, LockFence>> {
      return fencesOf(db, runId);
    },

    list(): Promise<readonly HeldLock[]> {
      return readLocks(db);
    },

    /** Who waits, in the order in which they go. */
    queue(): Promise<readonly Waiter[]> {
      return readQueue(db);
    },
  };
}

async function acquire(
  tx: Kysely<Schema>,
  request: LockRequest,
  at: number,
  queueMax: number,
): Promise<LockAnswer> {
  const wanted = [...new Set(request.hosts)].sort();
  const locks = await readLocks(tx);
  const mine = locks.filter((lock) => lock.runId === request.runId);
  if (mine.length > 0) return { kind: 'granted', fence: fenceOfHeld(request, wanted, mine) };
  const hasPlace = await waits(tx, request.runId);
  const me = await enqueue(tx, request, wanted, at);
  const queue = await readQueue(tx);
  const { position, holders, ahead } = placeOf(me, queue, locks);
  if (holders.length > 0 || ahead.length > 0) {
    if (!hasPlace && queue.length > queueMax) throw queueFull(queueMax);
    const names = ahead.map(({ runId, workflowId, pull }) => ({ runId, workflowId, pull }));
    return { kind: 'waiting', position, holders, ahead: names };
  }
  return { kind: 'granted', fence: await take(tx, me, at) };
}

function fenceOfHeld(request: LockRequest, wanted: readonly string[], mine: readonly HeldLock[]): number {
  const lost = wanted.filter((host) => !mine.some((lock) => lock.host === host));
  if (lost.length > 0) {
    throw new StoreError(
      'store-conflict',
      `Run ${request.runId} holds other locks but not ${lost.join(', ')}: released by force, or never asked for. ` +
        'Stop the run, let a person look at that host, and start a new run.',
    );
  }
  return Math.max(...mine.map((lock) => lock.fence));
}

async function take(tx: Kysely<Schema>, me: Waiter, at: number): Promise<number> {
  // no lower than the time: a store that was restored from a backup would count again what hosts have seen already
  const next = sql<number>`case when counters.value < ${at} then ${at} else counters.value + 1 end`;
  const { value: fence } = await tx
    .insertInto('counters')
    .values({ name: 'fence', value: at })
    .onConflict((c) => c.column('name').doUpdateSet({ value: next }))
    .returning('value')
    .executeTakeFirstOrThrow();
  const rows = me.hosts.map((host_identity) => ({
    host_identity,
    run_id: me.runId,
    workflow_id: me.workflowId,
    fence,
    taken_at: at,
    pull: me.pull,
    units: JSON.stringify(me.units[host_identity] ?? []),
  }));
  if (rows.length > 0) await tx.insertInto('locks').values(rows).execute();
  await tx.deleteFrom('lock_queue').where('run_id', '=', me.runId).execute();
  return fence;
}

async function released(tx: Kysely<Schema>): Promise<Released> {
  const next = mayTryNow(await readQueue(tx), await readLocks(tx));
  return { next: next.map(({ runId, workflowId }) => ({ runId, workflowId })) };
}

async function fencesOf(db: Kysely<Schema>, runId: string): Promise<ReadonlyMap<string, LockFence>> {
  const rows = await db
    .selectFrom('locks')
    .select(['host_identity', 'fence'])
    .where('run_id', '=', runId)
    .execute();
  if (rows.length === 0) return new Map();
  const store = await storeId(db);
  return new Map(rows.map(({ host_identity, fence }) => [host_identity, { store, number: fence }]));
}

/** Made once: fences of another store count from one again, and must not be compared with ours. */
async function storeId(db: Kysely<Schema>): Promise<string> {
  const id = () => db.selectFrom('counters').select('value').where('name', '=', 'store');
  const known = await id().executeTakeFirst();
  if (known !== undefined) return String(known.value);
  await db
    .insertInto('counters')
    .values({ name: 'store', value: randomInt(1, STORE_ID_MAX) })
    .onConflict((c) => c.column('name').doNothing())
    .execute();
  return String((await id().executeTakeFirstOrThrow()).value);
}

async function readLocks(db: Kysely<Schema>): Promise<readonly HeldLock[]> {
  const rows = await db
    .selectFrom('locks')
    .select([
      'host_identity as host',
      'run_id as runId',
      'workflow_id as workflowId',
      'pull',
      'fence',
      'taken_at as takenAt',
      'units',
    ])
    .orderBy('host_identity')
    .execute();
  return rows.map(({ units, ...lock }) => ({ ...lock, units: JSON.parse(units) as readonly string[] }));
}

/** One transaction at a time over all engines. On SQLite the one connection of the one engine does that already. */
function oneAtATime<T>({ db, dialect }: Connection, work: (tx: Kysely<Schema>) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (tx) => {
    if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${LOCKS_ADVISORY_KEY})`.execute(tx);
    return work(tx);
  });
}
