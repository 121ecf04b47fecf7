import type { Connection } from './schema.ts';

export interface RepositoryRecord {
  /** GitHub's id, which survives a rename. */
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly installationId: string | null;
}

const COLUMNS = [
  'id',
  'owner',
  'name',
  'default_branch as defaultBranch',
  'installation_id as installationId',
] as const;

export function repositoriesIn({ db }: Connection) {
  return {
    async save(record: RepositoryRecord): Promise<void> {
      const values = {
        owner: record.owner,
        name: record.name,
        default_branch: record.defaultBranch,
        installation_id: record.installationId,
      };
      await db
        .insertInto('repositories')
        .values({ id: record.id, ...values })
        .onConflict((c) => c.column('id').doUpdateSet(values))
        .execute();
    },

    get(id: string): Promise<RepositoryRecord | undefined> {
      return db.selectFrom('repositories').select(COLUMNS).where('id', '=', id).executeTakeFirst();
    },

    findByName(owner: string, name: string): Promise<RepositoryRecord | undefined> {
      return db
        .selectFrom('repositories')
        .select(COLUMNS)
        .where('owner', '=', owner)
        .where('name', '=', name)
        .executeTakeFirst();
    },

    list(): Promise<readonly RepositoryRecord[]> {
      return db.selectFrom('repositories').select(COLUMNS).orderBy('owner').orderBy('name').execute();
    },

    async remove(id: string): Promise<void> {
      await db.deleteFrom('repositories').where('id', '=', id).execute();
    },
  };
}
