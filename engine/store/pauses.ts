import { sql } from 'kysely';
import type { Connection } from './schema.ts';

/** No pause that is told is longer: GitHub's longest is that until the next hour of its primary limit. */
const PAUSE_MAX_MS = 3_600_000;

/** Until when somebody outside wants to be left in peace, over all processes. By the database's clock: those of processes differ. */
export function pausesIn({ db, dialect }: Connection) {
  const now = () =>
    dialect === 'postgres'
      ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
      : sql<number>`${Date.now()}`;
  return (who: string) => ({
    /** It is left in peace for so long, or longer where that was told before. */
    async tell(ms: number): Promise<void> {
      const value = sql<number>`${now()} + ${Math.min(Math.ceil(ms), PAUSE_MAX_MS)}`;
      const later = sql<number>`case when counters.value > excluded.value then counters.value else excluded.value end`;
      await db
        .insertInto('counters')
        .values({ name: nameOf(who), value })
        .onConflict((c) => c.column('name').doUpdateSet({ value: later }))
        .execute();
    },

    /** ms; 0 where there is none any more. Never more than an hour, whatever clock was set back. */
    async left(): Promise<number> {
      const row = await db
        .selectFrom('counters')
        .select(sql<number>`value - ${now()}`.as('ms'))
        .where('name', '=', nameOf(who))
        .executeTakeFirst();
      return Math.min(Math.max(0, Number(row?.ms ?? 0)), PAUSE_MAX_MS);
    },
  });
}

function nameOf(who: string): string {
  return `paused ${who}`;
}
