import type { ItemKey } from '../facts/fact.ts';
import type { Settled } from '../plan/settled.ts';
import type { Connection } from './schema.ts';
import type { Clock } from './values.ts';

export interface SettledHost {
  /** Machine: address and key. Another machine under the same name starts anew. */
  readonly identity: string;
  readonly items: Settled;
  /** Items that differed at the last reading and were in force as the branch wanted them then. */
  readonly returnable: readonly ItemKey[];
}

/** Machines named in one query. */
const NAMED_MAX = 500;

/** What was in force on a repository's hosts as its branch says: nothing else is put back by itself. */
export function settledIn({ db }: Connection, now: Clock) {
  return {
    /** By identity; of these machines only, where so few are named that naming them saves something. */
    async of(
      repository: string,
      identities: readonly string[] = [],
    ): Promise<ReadonlyMap<string, SettledHost>> {
      const all = db
        .selectFrom('settled')
        .select(['identity', 'items', 'returnable'])
        .where('repository', '=', repository);
      const few = identities.length > 0 && identities.length <= NAMED_MAX;
      const rows = await (few ? all.where('identity', 'in', identities) : all).execute();
      return new Map(
        rows.map(({ identity, items, returnable }) => [
          identity,
          { identity, items: JSON.parse(items), returnable: JSON.parse(returnable) },
        ]),
      );
    },

    /** `readAt`: epoch ms just before the hosts were read; what was forgotten since stays so. */
    async save(repository: string, hosts: readonly SettledHost[], readAt: number): Promise<void> {
      await db.transaction().execute(async (tx) => {
        for (const { identity, items, returnable } of hosts) {
          const texts = { items: JSON.stringify(items), returnable: JSON.stringify(returnable), at: readAt };
          await tx
            .insertInto('settled')
            .values({ repository, identity, ...texts })
            .onConflict((c) =>
              c.columns(['repository', 'identity']).doUpdateSet(texts).where('settled.at', '<=', readAt),
            )
            .execute();
        }
      });
    },

    /** What a run took back, or left half done, is in force no more. */
    async forget(repository: string, identities: readonly string[]): Promise<void> {
      const none = { items: '{}', returnable: '[]', at: now() };
      for (const identity of identities)
        await db
          .insertInto('settled')
          .values({ repository, identity, ...none })
          .onConflict((c) => c.columns(['repository', 'identity']).doUpdateSet(none))
          .execute();
    },
  };
}
