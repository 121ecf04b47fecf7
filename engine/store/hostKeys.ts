import type { Kysely } from 'kysely';
import type { Json } from '../operations/operation.ts';
import { appendAudit } from './audit.ts';
import type { Connection, Schema } from './schema.ts';
import type { Clock } from './values.ts';

/** A server without a pinned key, as one repository names it. */
export interface UnpinnedPlace {
  /** `owner/name` */
  readonly repository: string;
  readonly server: string;
  /** `10.0.0.5:22` */
  readonly address: string;
}

/** The key by which it is known since it was first seen. */
export interface SeenKey extends UnpinnedPlace {
  /** `TYPE BASE64` */
  readonly key: string;
  /** Epoch ms. */
  readonly firstSeenAt: number;
}

/** What met the server: for the audit log. */
export interface FirstUse {
  readonly pull: number;
  readonly headSha: string;
  readonly detail: Readonly<Record<string, Json>>;
}

/** Keys of servers that were never pinned. The first one stays; nothing here replaces it. */
export function hostKeysIn({ db, dialect }: Connection, now: Clock) {
  return {
    /** Keeps the key if none is known, together with an entry of the audit log; returns the one that holds. */
    async remember(place: UnpinnedPlace, key: string, by: FirstUse): Promise<SeenKey> {
      const repository = place.repository.toLowerCase();
      const { server, address } = place;
      return db.transaction().execute(async (tx) => {
        const at = now();
        const inserted = await tx
          .insertInto('host_keys')
          .values({ repository, server, address, host_key: key, first_seen_at: at })
          .onConflict((c) => c.columns(['repository', 'server', 'address']).doNothing())
          .executeTakeFirst();
        if (inserted.numInsertedOrUpdatedRows === 1n) {
          const { pull, headSha } = by;
          const detail = { server, address, key, ...by.detail };
          const entry = { who: 'doaas', what: 'host-key-first-use', repository: place.repository };
          await appendAudit(tx, dialect, { ...entry, pull, headSha, detail }, at);
        }
        const known = (await keysOf(tx, repository)).find(
          (each) => each.server === server && each.address === address,
        );
        return known ?? { repository, server, address, key, firstSeenAt: at };
      });
    },

    /** All of a repository. */
    of: (repository: string): Promise<readonly SeenKey[]> => keysOf(db, repository.toLowerCase()),
  };
}

async function keysOf(db: Kysely<Schema>, repository: string): Promise<readonly SeenKey[]> {
  return db
    .selectFrom('host_keys')
    .select(['repository', 'server', 'address', 'host_key as key', 'first_seen_at as firstSeenAt'])
    .where('repository', '=', repository)
    .execute();
}
