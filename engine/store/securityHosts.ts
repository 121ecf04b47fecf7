import type { HostSecurity } from '../security/host.ts';
import type { KnownPart, Remembered } from '../security/known.ts';
import { packed, unpacked } from './packed.ts';
import type { Connection } from './schema.ts';

/** Upper bound of what is kept of one host, as JSON, before compression: ten times what a host with 2,000 packages takes. */
export const SECURITY_HOST_MAX_BYTES = 4 * 1024 * 1024;

/** Later than any reading. */
export const LATEST = Number.MAX_SAFE_INTEGER;

/** Hosts that one question names; databases bound the values of a statement. */
const HOSTS_ASKED_AT_ONCE = 500;

/**
 * The newest reading of each server for the security report, the newest of each part that was known, and the newest that was uploaded.
 * `reading`: epoch ms; the same for all servers read together.
 */
export function securityHostsIn({ db }: Connection) {
  return {
    /** Replaces what was known of these servers, unless a later reading has been there already. */
    async save(repository: string, reading: number, hosts: readonly HostSecurity[]): Promise<void> {
      await db.transaction().execute(async (tx) => {
        for (const host of hosts) {
          const row = { reading, body: packed(bounded(host)) };
          await tx
            .insertInto('security_hosts')
            .values({ repository, host: host.host, ...row })
            .onConflict((c) =>
              c
                .columns(['repository', 'host'])
                .doUpdateSet(row)
                .where('security_hosts.reading', '<=', reading),
            )
            .execute();
        }
      });
    },

    /** Keeps what may be fallen back on, unless a later reading has known it already. What is too large is not kept. */
    async remember(
      repository: string,
      reading: number,
      hosts: readonly { readonly host: string; readonly parts: readonly KnownPart[] }[],
    ): Promise<void> {
      await db.transaction().execute(async (tx) => {
        for (const { host, parts } of hosts)
          for (const { part, body } of parts) {
            const text = Buffer.from(JSON.stringify(body));
            if (text.byteLength > SECURITY_HOST_MAX_BYTES) continue;
            const row = { reading, body: packed(text) };
            await tx
              .insertInto('security_known')
              .values({ repository, host, part, ...row })
              .onConflict((c) =>
                c
                  .columns(['repository', 'host', 'part'])
                  .doUpdateSet(row)
                  .where('security_known.reading', '<=', reading),
              )
              .execute();
          }
      });
    },

    /** What earlier readings knew of these servers, by server. */
    async remembered(
      repository: string,
      hosts: readonly string[],
    ): Promise<ReadonlyMap<string, readonly Remembered[]>> {
      const known = new Map<string, Remembered[]>();
      for (let start = 0; start < hosts.length; start += HOSTS_ASKED_AT_ONCE) {
        const rows = await db
          .selectFrom('security_known')
          .select(['host', 'part', 'reading', 'body'])
          .where('repository', '=', repository)
          .where('host', 'in', hosts.slice(start, start + HOSTS_ASKED_AT_ONCE))
          .execute();
        for (const { host, part, reading, body } of rows) {
          const one = { part, body: unpacked(body, SECURITY_HOST_MAX_BYTES), at: Number(reading) };
          known.set(host, [...(known.get(host) ?? []), one as Remembered]);
        }
      }
      return known;
    },

    /** What was read then, or in readings from then to the one at `last`. */
    async of(repository: string, reading: number, last = reading): Promise<readonly HostSecurity[]> {
      const rows = await db
        .selectFrom('security_hosts')
        .select('body')
        .where('repository', '=', repository)
        .where('reading', '>=', reading)
        .where('reading', '<=', last)
        .execute();
      return rows.map(({ body }) => unpacked(body, SECURITY_HOST_MAX_BYTES) as HostSecurity);
    },

    /** Forgets servers of the repository that are not among these, but for what was read after the reading at `last`. */
    async keepOnly(repository: string, hosts: readonly string[], last = LATEST): Promise<void> {
      const wanted = new Set(hosts);
      for (const table of ['security_hosts', 'security_known'] as const) {
        const known = await db
          .selectFrom(table)
          .select('host')
          .distinct()
          .where('repository', '=', repository)
          .where('reading', '<=', last)
          .execute();
        for (const { host } of known.filter((row) => !wanted.has(row.host)))
          await db
            .deleteFrom(table)
            .where('repository', '=', repository)
            .where('host', '=', host)
            .where('reading', '<=', last)
            .execute();
      }
    },

    /** A report was uploaded whose servers were read then, or later. */
    async noteUpload(repository: string, reading: number): Promise<void> {
      await db
        .insertInto('security_uploads')
        .values({ repository, reading })
        .onConflict((c) =>
          c.column('repository').doUpdateSet({ reading }).where('security_uploads.reading', '<=', reading),
        )
        .execute();
    },

    /** The reading of the newest upload; undefined where this store knows of none. */
    async lastUpload(repository: string): Promise<number | undefined> {
      const row = await db
        .selectFrom('security_uploads')
        .select('reading')
        .where('repository', '=', repository)
        .executeTakeFirst();
      return row === undefined ? undefined : Number(row.reading);
    },

    /** All of a repository that is not there any more for the engine, also that anything was uploaded. */
    async forget(repository: string): Promise<void> {
      for (const table of ['security_hosts', 'security_known', 'security_uploads'] as const)
        await db.deleteFrom(table).where('repository', '=', repository).execute();
    },
  };
}

/** One host that says too much must not cost the report of all the others. */
function bounded(host: HostSecurity): Buffer {
  const text = Buffer.from(JSON.stringify(host));
  if (text.byteLength <= SECURITY_HOST_MAX_BYTES) return text;
  const problem = `it answered ${text.byteLength} bytes, over the limit of ${SECURITY_HOST_MAX_BYTES}`;
  return Buffer.from(JSON.stringify({ kind: 'unread', host: host.host, problem } satisfies HostSecurity));
}
