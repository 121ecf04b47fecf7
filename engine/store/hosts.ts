import type { Kysely } from 'kysely';
import type { Json } from '../operations/operation.ts';
import { isSameMachine } from './machine.ts';
import type { Connection, Schema } from './schema.ts';
import { type Clock, detailText, parseDetail, plainText } from './values.ts';

/** What was read of a machine when it was first seen: OS, CPU, memory, disk, init. */
export interface HostFacts {
  readonly facts: Json;
  /** Epoch ms. */
  readonly firstSeenAt: number;
  readonly seenAt: number;
}

export interface Recovery {
  readonly identity: string;
  /** For a person: which run left what. */
  readonly reason: string;
  /** Epoch ms at which it was said last. */
  readonly since: number;
}

export function hostsIn({ db }: Connection, now: Clock) {
  return {
    async markNeedsRecovery(identity: string, reason: string): Promise<void> {
      await setRecovery(db, identity, true, reason, now());
    },

    async clearNeedsRecovery(identity: string): Promise<void> {
      await setRecovery(db, identity, false, '', now());
    },

    /** Only what was read before: another dead run may have been found on the machine since. */
    async clearRecovery({ identity, since }: Recovery): Promise<void> {
      await db
        .updateTable('hosts')
        .set({ needs_recovery: 0, reason: '', updated_at: now() })
        .where('identity', '=', identity)
        .where('updated_at', '=', since)
        .execute();
    },

    /** Those that need recovery and are one of these machines, under whatever identity; of all, when left out. */
    async needRecovery(identities?: readonly string[]): Promise<readonly Recovery[]> {
      const query = db
        .selectFrom('hosts')
        .select(['identity', 'reason', 'updated_at as since'])
        .where('needs_recovery', '=', 1);
      if (identities?.length === 0) return [];
      const all = await query.orderBy('identity').execute();
      return identities === undefined
        ? all
        : all.filter(({ identity }) => identities.some((other) => isSameMachine(identity, other)));
    },

    /** Keeps when the machine was first seen; returns true when it was never seen before. */
    async saveFacts(identity: string, facts: Json): Promise<boolean> {
      const at = now();
      const changed = { facts: detailText(facts), seen_at: at };
      const row = await db
        .insertInto('host_facts')
        .values({ identity, first_seen_at: at, ...changed })
        .onConflict((c) => c.column('identity').doNothing())
        .executeTakeFirst();
      if (row.numInsertedOrUpdatedRows === 1n) return true;
      await db.updateTable('host_facts').set(changed).where('identity', '=', identity).execute();
      return false;
    },

    async facts(identity: string): Promise<HostFacts | undefined> {
      const row = await db
        .selectFrom('host_facts')
        .selectAll()
        .where('identity', '=', identity)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return { facts: parseDetail(row.facts), firstSeenAt: row.first_seen_at, seenAt: row.seen_at };
    },
  };
}

/** For the forced release of a lock too, in its transaction. */
export async function setRecovery(
  db: Kysely<Schema>,
  identity: string,
  needed: boolean,
  reason: string,
  at: number,
): Promise<void> {
  const values = { needs_recovery: needed ? 1 : 0, reason: plainText(reason), updated_at: at };
  await db
    .insertInto('hosts')
    .values({ identity, ...values })
    .onConflict((c) => c.column('identity').doUpdateSet(values))
    .execute();
}
