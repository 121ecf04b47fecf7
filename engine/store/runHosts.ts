import type { Json } from '../operations/operation.ts';
import { StoreError } from './error.ts';
import { packed, unpacked } from './packed.ts';
import { FINAL_STATES } from './runs.ts';
import type { Connection } from './schema.ts';
import type { Clock } from './values.ts';

/** Upper bound of what is kept of one host of a run, as JSON, before compression. */
export const RUN_HOST_MAX_BYTES = 8 * 1024 * 1024;

/** What a run needs of its hosts to change, prove and undo them. */
export interface RunHosts {
  readonly runId: string;
  /** Of the run's plan. */
  readonly digest: string;
  readonly hosts: readonly RunHost[];
  /** sha256 (hex) of payloads that are in the store, and stay there as long as the plan. */
  readonly payloads: readonly string[];
}

export interface RunHost {
  readonly host: string;
  readonly body: Json;
}

export function runHostsIn({ db }: Connection, now: Clock) {
  return {
    /** All or nothing; what was kept of the run before is replaced. */
    async save({ runId, digest, hosts, payloads }: RunHosts): Promise<void> {
      const at = now();
      await db.transaction().execute(async (tx) => {
        await tx.deleteFrom('run_hosts').where('run_id', '=', runId).execute();
        for (const { host, body } of hosts)
          await tx
            .insertInto('run_hosts')
            .values({ run_id: runId, host, body: compressed(host, body), at })
            .execute();
        for (const sha256 of new Set(payloads))
          await tx
            .insertInto('plan_blobs')
            .values({ digest, sha256 })
            .onConflict((c) => c.doNothing())
            .execute();
      });
    },

    /** Of one host or all. */
    async of(runId: string, host?: string): Promise<readonly RunHost[]> {
      const all = db.selectFrom('run_hosts').select(['host', 'body']).where('run_id', '=', runId);
      const rows = await (host === undefined ? all : all.where('host', '=', host)).execute();
      return rows.map((row) => ({
        host: row.host,
        body: unpacked(row.body, RUN_HOST_MAX_BYTES) as Json,
      }));
    },

    /** Removes what was stored before `beforeMs` (epoch ms) for runs that are over; returns how many hosts. */
    async prune(beforeMs: number): Promise<number> {
      const deleted = await db
        .deleteFrom('run_hosts')
        .where('at', '<', beforeMs)
        .where('run_id', 'not in', (q) =>
          q.selectFrom('runs').select('runs.id').where('runs.state', 'not in', FINAL_STATES),
        )
        .executeTakeFirst();
      return Number(deleted.numDeletedRows);
    },
  };
}

function compressed(host: string, body: Json): Buffer {
  const text = Buffer.from(JSON.stringify(body));
  if (text.byteLength > RUN_HOST_MAX_BYTES) {
    throw new StoreError(
      'store-bound',
      `What is wanted of ${host} takes ${text.byteLength} bytes, over the store's ${RUN_HOST_MAX_BYTES}. Give the server less to hold, or split its documents' long texts into files.`,
    );
  }
  return packed(text);
}
