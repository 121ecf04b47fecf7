import type { Kysely, Selectable } from 'kysely';
import type { Json } from '../operations/operation.ts';
import type { Connection, Schema } from './schema.ts';
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
}

export interface AuditQuery {
  readonly repository?: string;
  readonly pull?: number;
  /** Only entries after this one. */
  readonly afterSeq?: number;
  readonly limit?: number;
}

/** Upper bound of one page. */
export const AUDIT_PAGE_MAX = 1_000;

/** Append-only; the database itself refuses an update or a delete. */
export function auditIn({ db }: Connection, now: Clock) {
  return {
    async append(entry: AuditEntry): Promise<void> {
      await appendAudit(db, entry, now());
    },

    /** Oldest first. */
    async list(query: AuditQuery = {}): Promise<readonly AuditRecord[]> {
      let rows = db
        .selectFrom('audit')
        .selectAll()
        .where('seq', '>', query.afterSeq ?? 0);
      if (query.repository !== undefined) rows = rows.where('repository', '=', query.repository);
      if (query.pull !== undefined) rows = rows.where('pull', '=', query.pull);
      const limit = Math.min(query.limit ?? AUDIT_PAGE_MAX, AUDIT_PAGE_MAX);
      return (await rows.orderBy('seq').limit(limit).execute()).map(toRecord);
    },
  };
}

/** For an effect that must not be committed without its entry: takes the effect's own transaction. */
export async function appendAudit(db: Kysely<Schema>, entry: AuditEntry, at: number): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      at,
      who: plainText(entry.who),
      what: plainText(entry.what),
      repository: entry.repository ?? null,
      pull: entry.pull ?? null,
      head_sha: entry.headSha ?? null,
      digest: entry.digest ?? null,
      detail: detailText(entry.detail),
    })
    .execute();
}

function toRecord(row: Selectable<Schema['audit']>): AuditRecord {
  const { head_sha: headSha, detail, ...rest } = row;
  return { ...rest, headSha, detail: parseDetail(detail) };
}
