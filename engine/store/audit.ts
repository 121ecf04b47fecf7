import { type Kysely, type Selectable, sql } from 'kysely';
import type { Json } from '../operations/operation.ts';
import { CHAIN_START, type ChainState, chainHash, follow } from './auditChain.ts';
import type { Connection, Dialect, Schema } from './schema.ts';
import { type Clock, detailText, parseDetail, plainText } from './values.ts';

/** One entry of the audit log: who did what, to which commit and plan. */
export interface AuditEntry {
  readonly who: string;
  /** A short verb, such as `apply`, `approve`, `force-release`. */
  readonly what: string;
  readonly repository?: string;
  readonly pull?: number;
  readonly headSha?: string;
  readonly digest?: string;
  readonly detail?: Json;
  /** Another entry with this key is not appended: what a retry says again. */
  readonly key?: string;
}

export interface AuditRecord {
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
  readonly repository: string | null;
  readonly pull: number | null;
  readonly headSha: string | null;
  readonly digest: string | null;
  readonly detail: Json;
  /** Chains the entry to the one before it; see `auditChain.ts`. */
  readonly hash: string;
}

export interface AuditQuery {
  readonly repository?: string;
  readonly pull?: number;
  /** Only entries of these verbs. */
  readonly what?: readonly string[];
  /** Only entries after this one. */
  readonly afterSeq?: number;
  /** Only entries of this time and later. Epoch ms. */
  readonly since?: number;
  readonly limit?: number;
}

/** Upper bound of one page. */
export const AUDIT_PAGE_MAX = 1_000;

/** PostgreSQL's advisory lock under which all engines append, so that the chain has no fork: any fixed number. */
const AUDIT_ADVISORY_KEY = 4_405_718;

/** Append-only; the database itself refuses an update or a delete, and each entry is chained to the one before. */
export function auditIn({ db, dialect }: Connection, now: Clock) {
  return {
    async append(entry: AuditEntry): Promise<void> {
      await db.transaction().execute((tx) => appendAudit(tx, dialect, entry, now()));
    },

    /** Oldest first. */
    async list(query: AuditQuery = {}): Promise<readonly AuditRecord[]> {
      let rows = db
        .selectFrom('audit')
        .selectAll()
        .where('seq', '>', query.afterSeq ?? 0);
      if (query.repository !== undefined) rows = rows.where('repository', '=', query.repository);
      if (query.pull !== undefined) rows = rows.where('pull', '=', query.pull);
      if (query.what !== undefined) rows = rows.where('what', 'in', query.what);
      if (query.since !== undefined) rows = rows.where('at', '>=', query.since);
      const limit = Math.min(query.limit ?? AUDIT_PAGE_MAX, AUDIT_PAGE_MAX);
      return (await rows.orderBy('seq').limit(limit).execute()).map(toRecord);
    },

    /** A repository as the newest entry about it names it, whatever case it is asked for in. */
    async repositoryNamed(name: string): Promise<string | undefined> {
      const row = await db
        .selectFrom('audit')
        .select('repository')
        .where(sql<boolean>`lower(repository) = ${name.toLowerCase()}`)
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.repository ?? undefined;
    },

    /** How many entries there are of a verb. */
    async count(what: string): Promise<number> {
      const counted = await db
        .selectFrom('audit')
        .select((e) => e.fn.countAll().as('entries'))
        .where('what', '=', what)
        .executeTakeFirstOrThrow();
      return Number(counted.entries);
    },

    /** Computes every hash again, from the first entry on. */
    async verify(): Promise<ChainState> {
      let state: ChainState = { entries: 0, head: CHAIN_START };
      for (let after = 0; ; ) {
        const page = await db
          .selectFrom('audit')
          .selectAll()
          .where('seq', '>', after)
          .orderBy('seq')
          .limit(AUDIT_PAGE_MAX)
          .execute();
        const last = page.at(-1);
        if (last === undefined) return state;
        state = follow(state, page);
        if (state.brokenAt !== undefined) return state;
        after = last.seq;
      }
    },

    /** Hash of the newest entry. */
    async head(): Promise<string> {
      return lastHash(db);
    },

    async has(hash: string): Promise<boolean> {
      const row = await db.selectFrom('audit').select('seq').where('hash', '=', hash).executeTakeFirst();
      return row !== undefined;
    },
  };
}

/** For an effect that must not be committed without its entry: `tx` is the effect's own transaction. */
export async function appendAudit(
  tx: Kysely<Schema>,
  dialect: Dialect,
  entry: AuditEntry,
  at: number,
): Promise<void> {
  if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${AUDIT_ADVISORY_KEY})`.execute(tx);
  if (entry.key !== undefined && (await isKnown(tx, entry.key))) return;
  const row = {
    at,
    who: plainText(entry.who),
    what: plainText(entry.what),
    repository: entry.repository ?? null,
    pull: entry.pull ?? null,
    head_sha: entry.headSha ?? null,
    digest: entry.digest ?? null,
    detail: detailText(entry.detail),
  };
  const hash = chainHash(await lastHash(tx), row);
  await tx
    .insertInto('audit')
    .values({ ...row, hash, key: entry.key ?? null })
    .execute();
}

async function isKnown(tx: Kysely<Schema>, key: string): Promise<boolean> {
  const row = await tx.selectFrom('audit').select('seq').where('key', '=', key).executeTakeFirst();
  return row !== undefined;
}

async function lastHash(db: Kysely<Schema>): Promise<string> {
  const last = await db.selectFrom('audit').select('hash').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return last?.hash ?? CHAIN_START;
}

function toRecord(row: Selectable<Schema['audit']>): AuditRecord {
  const { head_sha: headSha, detail, key: _, ...rest } = row;
  return { ...rest, headSha, detail: parseDetail(detail) };
}
