import { sql } from 'kysely';
import { migrate } from './migrate.ts';
import { inboxMigrations } from './migrations.ts';
import { INBOX_CONNECT_TIMEOUT_MS, INBOX_CONNECTIONS_MAX, openPostgres } from './postgres.ts';
import type { Connection } from './schema.ts';
import { openSqlite } from './sqlite.ts';
import type { StoreLocation } from './store.ts';
import { together } from './together.ts';
import { type Clock, plainText } from './values.ts';

/** A webhook that was verified and understood. */
export interface Arrival {
  /** GitHub's `X-GitHub-Delivery`. */
  readonly guid: string;
  /** Arrivals of one lane are handed on in their order, those of different lanes at the same time. */
  readonly lane: string;
  /** JSON. */
  readonly event: string;
}

/** An arrival that the caller of `claim` is to hand on. */
export interface Waiting extends Arrival {
  /** Epoch ms. */
  readonly receivedAt: number;
  /** How often it was claimed, this time included. */
  readonly tries: number;
}

export interface InboxState {
  readonly waiting: number;
  /** Epoch ms; undefined when nothing waits. */
  readonly oldestAt: number | undefined;
}

/** What a relay needs of it; in a process with a receiver it is reached through that one's thread. */
export interface Outbound {
  /** At most so many that wait, the first of each lane, oldest first. Nobody else gets them for `LEASE_MS`. */
  readonly claim: (most: number) => Promise<readonly Waiting[]>;
  /** They are durable elsewhere: remembered by their ids only, to know them again. */
  readonly handedOn: (guids: readonly string[]) => Promise<void>;
  /** It could not be handed on: `claim` gives it again after this time. */
  readonly postpone: (guid: string, ms: number) => Promise<void>;
  /** Forgets some of those that were handed on before `beforeMs` (epoch ms); returns how many. */
  readonly prune: (beforeMs: number) => Promise<number>;
}

export interface Inbox extends Outbound {
  /** Resolved means durable. `known`: this delivery was taken before. */
  readonly accept: (arrival: Arrival) => Promise<'new' | 'known'>;
  readonly state: () => Promise<InboxState>;
  readonly close: () => Promise<void>;
}

/** A relay that died leaves what it had claimed to others after this. */
export const LEASE_MS = 30_000;
/** Two relays do not tell the same time; what waits longer than a lease and this was written before the clock was set back. */
const CLOCKS_DIFFER_MS = 60_000;
/** Rows of one insert; GitHub's deliveries at once are bounded by DOAAS_WEBHOOK_CONCURRENCY anyway. */
const TOGETHER_MAX = 200;
/** Rows forgotten at once: a few milliseconds during which nobody else writes. */
const PRUNED_MAX = 500;

/**
 * The inbox of webhooks: a file of its own, which waits for nobody else's writes, or a table of the shared PostgreSQL, where
 * `openStore` has made it. Calls may throw `StoreError`.
 */
export async function openInbox(location: StoreLocation, now: Clock = Date.now): Promise<Inbox> {
  if ('url' in location) {
    const { db, close } = openPostgres(location.url, {
      connections: INBOX_CONNECTIONS_MAX,
      connectTimeoutMs: INBOX_CONNECT_TIMEOUT_MS,
    });
    const connection: Connection = { db, dialect: 'postgres' };
    return inboxOn(connection, connection, now, close);
  }
  const { db, close } = openSqlite(location);
  const connection: Connection = { db, dialect: 'sqlite' };
  try {
    await migrate(connection, inboxMigrations);
    // the file has one owner, so whoever had claimed these is dead
    await db.updateTable('inbox').set({ not_before: 0 }).where('handed_on_at', 'is', null).execute();
    // what the relay writes may be lost in a power cut, and then happens again; so answers wait for one fsync, not three
    const relaying = openSqlite({ ...location, unhurried: true });
    return inboxOn(connection, { db: relaying.db, dialect: 'sqlite' }, now, async () => {
      await relaying.close();
      await close();
    });
  } catch (error) {
    await close();
    throw error;
  }
}

function inboxOn(accepting: Connection, relaying: Connection, now: Clock, close: () => Promise<void>): Inbox {
  const { db } = relaying;
  return {
    accept: together((arrivals) => insert(accepting, arrivals, now()), TOGETHER_MAX),
    claim: (most) => claim(relaying, most, now()),

    async handedOn(guids) {
      if (guids.length === 0) return;
      await db
        .updateTable('inbox')
        .set({ handed_on_at: now(), event: '' })
        .where('guid', 'in', guids)
        .execute();
    },

    async postpone(guid, ms) {
      await db
        .updateTable('inbox')
        .set({ not_before: now() + Math.min(ms, LEASE_MS) })
        .where('guid', '=', guid)
        .execute();
    },

    async prune(beforeMs) {
      const old = db.selectFrom('inbox').select('seq').where('handed_on_at', '<', beforeMs).limit(PRUNED_MAX);
      const deleted = await db.deleteFrom('inbox').where('seq', 'in', old).executeTakeFirst();
      return Number(deleted.numDeletedRows);
    },

    async state() {
      const isWaiting = db.selectFrom('inbox').where('handed_on_at', 'is', null);
      const { waiting } = await isWaiting
        .select((e) => e.fn.countAll().as('waiting'))
        .executeTakeFirstOrThrow();
      const oldest = await isWaiting.select('received_at').orderBy('seq').limit(1).executeTakeFirst();
      return { waiting: Number(waiting), oldestAt: oldest?.received_at };
    },

    close,
  };
}

/** A delivery that comes twice at the same moment is new once. */
async function insert(
  { db }: Connection,
  arrivals: readonly Arrival[],
  now: number,
): Promise<readonly ('new' | 'known')[]> {
  const rows = await db
    .insertInto('inbox')
    .values(
      arrivals.map(({ guid, lane, event }) => ({
        guid,
        lane: plainText(lane),
        event,
        received_at: now,
        not_before: 0,
        tries: 0,
        handed_on_at: null,
      })),
    )
    .onConflict((c) => c.column('guid').doNothing())
    .returning('guid')
    .execute();
  const fresh = new Set(rows.map(({ guid }) => guid));
  return arrivals.map(({ guid }) => (fresh.delete(guid) ? 'new' : 'known'));
}

/**
 * Only the first of a lane can be claimed, so the others stay behind it until it was handed on. The first ones are found by going
 * from lane to lane in the index: the cost grows with the lanes, not with what waits in them.
 */
async function claim({ db, dialect }: Connection, most: number, now: number): Promise<readonly Waiting[]> {
  const others = dialect === 'postgres' ? sql`for update of i skip locked` : sql``;
  const { rows } = await sql<Claimed>`
    with recursive lanes(lane) as (
      select min(lane) from inbox where handed_on_at is null
      union all
      select (select min(n.lane) from inbox n where n.handed_on_at is null and n.lane > lanes.lane)
      from lanes where lanes.lane is not null
    ), firsts(seq) as (
      select (select min(f.seq) from inbox f where f.handed_on_at is null and f.lane = lanes.lane)
      from lanes where lanes.lane is not null
    ), next as materialized (
      select i.seq from inbox i
      where i.seq in (select seq from firsts) and i.handed_on_at is null
        and (i.not_before <= ${now} or i.not_before > ${now + LEASE_MS + CLOCKS_DIFFER_MS})
      order by i.seq limit ${most} ${others}
    )
    update inbox set not_before = ${now + LEASE_MS}, tries = tries + 1 where seq in (select seq from next)
    returning seq, guid, lane, event, received_at, tries`.execute(db);
  return rows
    .toSorted((a, b) => a.seq - b.seq)
    .map(({ guid, lane, event, received_at, tries }) => ({
      guid,
      lane,
      event,
      receivedAt: received_at,
      tries,
    }));
}

interface Claimed {
  readonly seq: number;
  readonly guid: string;
  readonly lane: string;
  readonly event: string;
  readonly received_at: number;
  readonly tries: number;
}
