import type { HostSecurity } from '../security/host.ts';
import { packed, unpacked } from './packed.ts';
import type { Connection } from './schema.ts';

/** Upper bound of what is kept of one host, as JSON, before compression: a hundred times what a host with 2,000 packages takes. */
const HOST_MAX_BYTES = 16 * 1024 * 1024;

/** The newest reading of each server for the security report. `reading`: epoch ms; the same for all servers read together. */
export function securityHostsIn({ db }: Connection) {
  return {
    /** Replaces what was known of these servers. */
    async save(repository: string, reading: number, hosts: readonly HostSecurity[]): Promise<void> {
      await db.transaction().execute(async (tx) => {
        for (const host of hosts) {
          const row = { reading, body: packed(Buffer.from(JSON.stringify(host))) };
          await tx
            .insertInto('security_hosts')
            .values({ repository, host: host.host, ...row })
            .onConflict((c) => c.columns(['repository', 'host']).doUpdateSet(row))
            .execute();
        }
      });
    },

    /** What was read then. */
    async of(repository: string, reading: number): Promise<readonly HostSecurity[]> {
      const rows = await db
        .selectFrom('security_hosts')
        .select('body')
        .where('repository', '=', repository)
        .where('reading', '=', reading)
        .execute();
      return rows.map(({ body }) => unpacked(body, HOST_MAX_BYTES) as HostSecurity);
    },

    /** Forgets servers of the repository that are not among these. */
    async keepOnly(repository: string, hosts: readonly string[]): Promise<void> {
      const known = await db
        .selectFrom('security_hosts')
        .select('host')
        .where('repository', '=', repository)
        .execute();
      const wanted = new Set(hosts);
      for (const { host } of known.filter((row) => !wanted.has(row.host)))
        await db
          .deleteFrom('security_hosts')
          .where('repository', '=', repository)
          .where('host', '=', host)
          .execute();
    },
  };
}
