import { sql } from 'kysely';
import type { Connection } from './schema.ts';

/** Who has it, and how often it was heard of. */
export interface Lease {
  readonly holder: string;
  readonly beat: number;
}

/** What one process at a time may have, by name; see `alone.ts`. No time is kept: clocks of processes differ, and may be set. */
export function leasesIn({ db }: Connection) {
  return {
    /**
     * Takes it where it is free, and where it is still exactly as `silent`: a holder that was not heard of since. Gives who has
     * it now; undefined where that one has just let go.
     */
    async take(name: string, holder: string, silent?: Lease): Promise<Lease | undefined> {
      const row = await db
        .insertInto('leases')
        .values({ name, holder, beat: 1 })
        .onConflict((c) =>
          silent === undefined
            ? c.column('name').doNothing()
            : c
                .column('name')
                .doUpdateSet({ holder, beat: sql<number>`leases.beat + 1` })
                .where('leases.holder', '=', silent.holder)
                .where('leases.beat', '=', silent.beat),
        )
        .returning(['holder', 'beat'])
        .executeTakeFirst();
      if (row !== undefined) return row;
      return db.selectFrom('leases').select(['holder', 'beat']).where('name', '=', name).executeTakeFirst();
    },

    /** The holder is heard of. False: it is not the holder any more. */
    async renew(name: string, holder: string): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable('leases')
        .set({ beat: sql<number>`leases.beat + 1` })
        .where('name', '=', name)
        .where('holder', '=', holder)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },

    async release(name: string, holder: string): Promise<void> {
      await db.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute();
    },
  };
}
