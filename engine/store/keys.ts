import type { Connection } from './schema.ts';
import { bytesOf } from './values.ts';

/** Keys that the engine made for itself, so that all its processes have the same. */
export function keysIn({ db }: Connection) {
  const find = async (name: string): Promise<Uint8Array | undefined> => {
    const row = await db.selectFrom('keys').select('key').where('name', '=', name).executeTakeFirst();
    return row === undefined ? undefined : bytesOf(row.key);
  };
  return {
    /** The key of that name; of several that are made at the same time the first stays. */
    async getOrMake(name: string, make: () => Uint8Array): Promise<Uint8Array> {
      const known = await find(name);
      if (known !== undefined) return known;
      const key = Buffer.from(make());
      await db
        .insertInto('keys')
        .values({ name, key })
        .onConflict((c) => c.column('name').doNothing())
        .execute();
      return (await find(name)) ?? key;
    },
  };
}
