import { sql } from 'kysely';
import type { Connection } from './schema.ts';

/** A repository as GitHub names it now. */
export interface SeenRepository {
  /** GitHub's id, which survives a rename and a transfer, and is never given to another repository. */
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly installationId: string | null;
}

export interface RepositoryRecord extends SeenRepository {
  /**
   * `owner/name` under which its runs, items and pull requests are kept: the first name that was seen of it, for good. A
   * repository that took over the name of an earlier one has its id behind it: `owner/name@123`.
   */
  readonly knownAs: string;
}

const COLUMNS = [
  'id',
  'owner',
  'name',
  'default_branch as defaultBranch',
  'installation_id as installationId',
  'known_as as knownAs',
] as const;

export function repositoriesIn({ db }: Connection) {
  const select = () => db.selectFrom('repositories').select(COLUMNS);
  const byName = (column: 'known_as' | 'full_name', name: string) => {
    const of = column === 'known_as' ? sql.ref('known_as') : sql`owner || '/' || name`;
    return select().where(sql<boolean>`lower(${of}) = ${name.toLowerCase()}`);
  };
  return {
    /** Idempotent. The name it is known as is given once. */
    async save(record: SeenRepository): Promise<RepositoryRecord> {
      const { id } = record;
      const values = {
        owner: record.owner,
        name: record.name,
        default_branch: record.defaultBranch,
        installation_id: record.installationId,
      };
      const name = `${record.owner}/${record.name}`;
      const taken = await byName('known_as', name).where('id', '!=', id).executeTakeFirst();
      const known_as = taken === undefined ? name : `${name}@${id}`;
      await db
        .insertInto('repositories')
        .values({ id, ...values, known_as })
        .onConflict((c) => c.column('id').doUpdateSet(values))
        .execute();
      return select().where('id', '=', id).executeTakeFirstOrThrow();
    },

    get(id: string): Promise<RepositoryRecord | undefined> {
      return select().where('id', '=', id).executeTakeFirst();
    },

    /**
     * As GitHub called it when it was seen last, without regard to case, as GitHub compares names. Of several, one that the App
     * reaches: another was deleted, and its name was taken.
     */
    findByName(owner: string, name: string): Promise<RepositoryRecord | undefined> {
      return byName('full_name', `${owner}/${name}`).orderBy(sql`installation_id is null`).executeTakeFirst();
    },

    findKnownAs(knownAs: string): Promise<RepositoryRecord | undefined> {
      return byName('known_as', knownAs).executeTakeFirst();
    },

    list(): Promise<readonly RepositoryRecord[]> {
      return select().orderBy('owner').orderBy('name').execute();
    },
  };
}
