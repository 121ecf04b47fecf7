import type { Connection } from './schema.ts';
import type { Clock } from './values.ts';

/** What is told by when it happened last, over all processes. */
export type Moment = 'swept';

export function momentsIn({ db }: Connection, now: Clock) {
  const nameOf = (moment: Moment): string => `at ${moment}`;
  return {
    async note(moment: Moment): Promise<void> {
      const value = now();
      await db
        .insertInto('counters')
        .values({ name: nameOf(moment), value })
        .onConflict((c) => c.column('name').doUpdateSet({ value }))
        .execute();
    },

    /** Epoch ms; undefined where it never did. */
    async last(moment: Moment): Promise<number | undefined> {
      const row = await db
        .selectFrom('counters')
        .select('value')
        .where('name', '=', nameOf(moment))
        .executeTakeFirst();
      return row?.value;
    },
  };
}
