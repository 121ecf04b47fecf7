import { type Selectable, sql } from 'kysely';
import type { DriftedItem } from '../drift/resources.ts';
import type { Connection, Schema } from './schema.ts';
import { plainText } from './values.ts';

/** Differences kept of one repository; a diff is kept in its plan, not here. */
export const DRIFT_ITEMS_MAX = 10_000;

/** PostgreSQL has at most 2,704 bytes for an entry of an index; with a longer one it would refuse all of a reading. */
const KEY_BYTES_MAX = 2_600;

/** Rows of one insert statement, below SQLite's 32,766 parameters. */
const INSERT_ROWS_MAX = 1_000;

/** Of counters: servers that the last reading of a repository could not read. */
const UNREAD = 'drift-unread:';

/** Of counters: when a repository was read last, epoch ms; where it never was, when that was tried first. */
const READ = 'drift-read:';

type KnownItem = Omit<DriftedItem, 'diff'>;

/** What the last readings of a repository's servers found to differ from its default branch. */
export function driftIn({ db }: Connection) {
  return {
    async of(repository: string): Promise<readonly DriftedItem[]> {
      const rows = await db
        .selectFrom('drift')
        .selectAll()
        .where('repository', '=', repository)
        .orderBy('document')
        .orderBy('host')
        .orderBy('step_id')
        .execute();
      return rows.map(toItem);
    },

    /** These steps of a document are not missing on their hosts any more. What a reading says meanwhile of others stays. */
    async remove(
      repository: string,
      document: string,
      steps: readonly Pick<DriftedItem, 'host' | 'stepId'>[],
    ): Promise<void> {
      await db.transaction().execute(async (tx) => {
        for (const { host, stepId } of steps)
          await tx
            .deleteFrom('drift')
            .where('repository', '=', repository)
            .where('document', '=', document)
            .where('host', '=', host)
            .where('step_id', '=', stepId)
            .execute();
      });
    },

    /**
     * Replaces all that is known of the repository; of more than it keeps, each host has its share. A path of more than some 2,500
     * bytes is not remembered.
     */
    async replace(repository: string, items: readonly KnownItem[]): Promise<void> {
      const indexed = items.filter((item) => isIndexed(repository, item));
      const rows = sharedOut(indexed, DRIFT_ITEMS_MAX).map((item) => toRow(repository, item));
      await db.transaction().execute(async (tx) => {
        await tx.deleteFrom('drift').where('repository', '=', repository).execute();
        for (let i = 0; i < rows.length; i += INSERT_ROWS_MAX)
          await tx
            .insertInto('drift')
            .values(rows.slice(i, i + INSERT_ROWS_MAX))
            .execute();
      });
    },

    /** `hosts`: how many servers of the repository the last reading could not read. */
    async noteUnread(repository: string, hosts: number): Promise<void> {
      await db
        .insertInto('counters')
        .values({ name: nameOf(UNREAD, repository), value: hosts })
        .onConflict((c) => c.column('name').doUpdateSet({ value: hosts }))
        .execute();
    },

    /** A repository is about to be read: from now on it is missed until it was. */
    async expectReading(repository: string, at: number): Promise<void> {
      await db
        .insertInto('counters')
        .values({ name: nameOf(READ, repository), value: at })
        .onConflict((c) => c.column('name').doNothing())
        .execute();
    },

    /** `at`: epoch ms at which a reading began that has come to its end. */
    async noteRead(repository: string, at: number): Promise<void> {
      await db
        .insertInto('counters')
        .values({ name: nameOf(READ, repository), value: at })
        .onConflict((c) => c.column('name').doUpdateSet({ value: at }))
        .execute();
    },

    /** Epoch ms; of the repository whose last reading is the oldest. Undefined where none is read. */
    async oldestReading(): Promise<number | undefined> {
      const oldest = sql<number | null>`min(value)`.as('at');
      const counters = db.selectFrom('counters').select(oldest).where('name', 'like', `${READ}%`);
      return (await counters.executeTakeFirst())?.at ?? undefined;
    },

    /** All other repositories are read no more, and nobody misses it. */
    async readOnly(repositories: readonly string[]): Promise<void> {
      const kept = new Set(repositories.flatMap((each) => [nameOf(UNREAD, each), nameOf(READ, each)]));
      const noted = await db
        .selectFrom('counters')
        .select('name')
        .where((e) => e.or([e('name', 'like', `${UNREAD}%`), e('name', 'like', `${READ}%`)]))
        .execute();
      for (const { name } of noted)
        if (!kept.has(name)) await db.deleteFrom('counters').where('name', '=', name).execute();
    },

    /** Servers that could not be read, over all repositories. */
    async unread(): Promise<number> {
      const total = sql<number | null>`sum(value)`.as('hosts');
      const counters = db.selectFrom('counters').select(total).where('name', 'like', `${UNREAD}%`);
      return Number((await counters.executeTakeFirst())?.hosts ?? 0);
    },
  };
}

/**
 * The first of each host, then their second ones, and so on up to `max`: a host with little keeps all of it, whatever others have. Of a
 * host's own, likewise by document. A host can name documents that are none, so these do not come first.
 */
export function sharedOut<T extends Pick<KnownItem, 'host' | 'document'>>(
  items: readonly T[],
  max: number,
): readonly T[] {
  if (items.length <= max) return items;
  const byDocument = inTurns(items, ({ host, document }) => JSON.stringify([host, document]));
  return inTurns(byDocument, ({ host }) => host).slice(0, max);
}

function isIndexed(repository: string, { document, host, stepId }: KnownItem): boolean {
  return Buffer.byteLength(`${repository}${document}${host}${stepId}`) <= KEY_BYTES_MAX;
}

/** The first of each key, then the second of each, and so on. */
function inTurns<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const counts = new Map<string, number>();
  const turns = items.map((item) => {
    const key = keyOf(item);
    const turn = counts.get(key) ?? 0;
    counts.set(key, turn + 1);
    return { item, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).map(({ item }) => item);
}

function nameOf(prefix: string, repository: string): string {
  return `${prefix}${repository.toLowerCase()}`;
}

function toRow(repository: string, item: KnownItem): Selectable<Schema['drift']> {
  return {
    repository,
    document: item.document,
    host: item.host,
    step_id: item.stepId,
    summary: plainText(item.summary),
    first_seen_at: item.firstSeenAt,
    traces: JSON.stringify(item.traces.map(plainText)),
  };
}

function toItem(row: Selectable<Schema['drift']>): DriftedItem {
  return {
    document: row.document,
    host: row.host,
    stepId: row.step_id,
    summary: row.summary,
    diff: '',
    firstSeenAt: row.first_seen_at,
    traces: JSON.parse(row.traces) as readonly string[],
  };
}
