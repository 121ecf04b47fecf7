import type { Connection } from './schema.ts';
import type { Clock } from './values.ts';

export interface SeenPull {
  readonly number: number;
  readonly headSha: string;
  readonly open: boolean;
}

/** What the engine knows of pull requests, to notice those whose webhooks never came. */
export function pullsIn({ db }: Connection, now: Clock) {
  return {
    async seen(repository: string, { number, headSha, open }: SeenPull): Promise<void> {
      const state = { head_sha: headSha, open: open ? 1 : 0, seen_at: now() };
      await db
        .insertInto('pulls')
        .values({ repository, number, ...state })
        .onConflict((c) => c.columns(['repository', 'number']).doUpdateSet(state))
        .execute();
    },

    /** It was not open any more when it was last looked at. */
    async isKnownClosed(repository: string, number: number): Promise<boolean> {
      const row = await db
        .selectFrom('pulls')
        .select('open')
        .where('repository', '=', repository)
        .where('number', '=', number)
        .executeTakeFirst();
      return row?.open === 0;
    },

    /** Numbers of those that were open with this head when they were last looked at. */
    async headedBy(repository: string, headSha: string): Promise<readonly number[]> {
      const rows = await db
        .selectFrom('pulls')
        .select('number')
        .where('repository', '=', repository)
        .where('head_sha', '=', headSha)
        .where('open', '=', 1)
        .orderBy('number')
        .execute();
      return rows.map(({ number }) => number);
    },

    /** Those that were open when they were last looked at, by number. */
    open(repository: string): Promise<readonly Omit<SeenPull, 'open'>[]> {
      return db
        .selectFrom('pulls')
        .select(['number', 'head_sha as headSha'])
        .where('repository', '=', repository)
        .where('open', '=', 1)
        .orderBy('number')
        .execute();
    },
  };
}
