import type { Connection } from './schema.ts';
import { type Clock, plainText } from './values.ts';

/** One webhook delivery. `guid` is GitHub's `X-GitHub-Delivery`. */
export interface Delivery {
  readonly guid: string;
  readonly event: string;
  /** `owner/name`, or empty where the event has none. */
  readonly repository: string;
}

/** Which webhooks have been taken, so that a repeated delivery is answered without a second effect. */
export function deliveriesIn({ db }: Connection, now: Clock) {
  return {
    /** True when the delivery is new and is now recorded; false when it was there before. */
    async record(delivery: Delivery): Promise<boolean> {
      const inserted = await db
        .insertInto('deliveries')
        .values({
          guid: plainText(delivery.guid),
          event: plainText(delivery.event),
          repository: plainText(delivery.repository),
          received_at: now(),
        })
        .onConflict((c) => c.column('guid').doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    },

    /** Forgets one, so that GitHub's redelivery counts again after its handling failed. */
    async forget(guid: string): Promise<void> {
      await db.deleteFrom('deliveries').where('guid', '=', guid).execute();
    },

    /** Removes those received before `beforeMs` (epoch ms); returns how many. */
    async prune(beforeMs: number): Promise<number> {
      const deleted = await db
        .deleteFrom('deliveries')
        .where('received_at', '<', beforeMs)
        .executeTakeFirst();
      return Number(deleted.numDeletedRows);
    },
  };
}
