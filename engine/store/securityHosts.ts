import type { HostSecurity } from '../security/host.ts';
import { packed, unpacked } from './packed.ts';
import type { Connection } from './schema.ts';

/** Upper bound of what is kept of one host, as JSON, before compression: ten times what a host with 2,000 packages takes. */
export const SECURITY_HOST_MAX_BYTES = 4 * 1024 * 1024;

/** Later than any reading. */
export const LATEST = Number.MAX_SAFE_INTEGER;

/** The newest reading of each server for the security report. `reading`: epoch ms; the same for all servers read together. */
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
      const known = await db
        .selectFrom('security_hosts')
        .select('host')
        .where('repository', '=', repository)
        .where('reading', '<=', last)
        .execute();
      const wanted = new Set(hosts);
      for (const { host } of known.filter((row) => !wanted.has(row.host)))
        await db
          .deleteFrom('security_hosts')
          .where('repository', '=', repository)
          .where('host', '=', host)
          .where('reading', '<=', last)
          .execute();
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
