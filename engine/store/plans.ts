import type { Plan } from '../plan/step.ts';
import { StoreError } from './error.ts';
import { packed, unpacked } from './packed.ts';
import type { Connection } from './schema.ts';
import type { Clock } from './values.ts';

/** Upper bound of one plan as JSON, before compression. */
export const PLAN_MAX_BYTES = 32 * 1024 * 1024;
/** Rows of one insert statement, below SQLite's 32,766 parameters. */
const INSERT_ROWS_MAX = 1_000;

/** For which pull request and commits a plan was made. The same plan can serve several. */
export interface PlanUse {
  /** `owner/name` */
  readonly repository: string;
  readonly number: number;
  readonly headSha: string;
  readonly baseSha: string;
}

export interface PlanUsed extends PlanUse {
  readonly digest: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

export function plansIn({ db }: Connection, now: Clock) {
  return {
    /**
     * Stores a plan by its digest with the payloads (sha256, hex) that it needs. Repeating it keeps the steps, which
     * the digest pins, and takes the newer wording.
     */
    async save(plan: Plan, use: PlanUse, payloads: readonly string[] = []): Promise<void> {
      const body = compressed(plan);
      const at = now();
      const refs = [...new Set(payloads)].map((sha256) => ({ digest: plan.digest, sha256 }));
      await db.transaction().execute(async (tx) => {
        await tx
          .insertInto('plans')
          .values({ digest: plan.digest, body, stored_at: at })
          .onConflict((c) => c.column('digest').doUpdateSet({ body, stored_at: at }))
          .execute();
        await tx
          .insertInto('plan_uses')
          .values({ digest: plan.digest, ...columnsOf(use), created_at: at })
          .onConflict((c) =>
            c
              .columns(['repository', 'number', 'digest', 'head_sha', 'base_sha'])
              .doUpdateSet({ created_at: at }),
          )
          .execute();
        for (let i = 0; i < refs.length; i += INSERT_ROWS_MAX) {
          const rows = refs.slice(i, i + INSERT_ROWS_MAX);
          await tx
            .insertInto('plan_blobs')
            .values(rows)
            .onConflict((c) => c.doNothing())
            .execute();
        }
      });
    },

    async get(digest: string): Promise<Plan | undefined> {
      const row = await db.selectFrom('plans').select('body').where('digest', '=', digest).executeTakeFirst();
      return row === undefined ? undefined : (unpacked(row.body, PLAN_MAX_BYTES) as Plan);
    },

    /** Digests that begin with `prefix` (hex), at most two: enough to tell "none", "one" and "several". */
    async findByPrefix(prefix: string): Promise<readonly string[]> {
      if (!/^[0-9a-f]+$/.test(prefix)) return [];
      const query = db.selectFrom('plans').select('digest').where('digest', '>=', prefix);
      // 'g' follows 'f', the last hex digit.
      const rows = await query.where('digest', '<', `${prefix}g`).orderBy('digest').limit(2).execute();
      return rows.map((row) => row.digest);
    },

    /** For what a plan was made, newest first. */
    uses(digest: string): Promise<readonly PlanUsed[]> {
      return db
        .selectFrom('plan_uses')
        .select(USE)
        .where('digest', '=', digest)
        .orderBy('created_at', 'desc')
        .execute();
    },

    /** The newest plan of a pull request. */
    latest(repository: string, number: number): Promise<PlanUsed | undefined> {
      return db
        .selectFrom('plan_uses')
        .select(USE)
        .where('repository', '=', repository)
        .where('number', '=', number)
        .orderBy('created_at', 'desc')
        .limit(1)
        .executeTakeFirst();
    },

    async payloadsOf(digest: string): Promise<readonly string[]> {
      const rows = await db.selectFrom('plan_blobs').select('sha256').where('digest', '=', digest).execute();
      return rows.map((row) => row.sha256);
    },

    /** Removes plans stored before `beforeMs` (epoch ms) except those of runs that have not ended; returns how many. */
    prune(beforeMs: number): Promise<number> {
      return db.transaction().execute(async (tx) => {
        const deleted = await tx
          .deleteFrom('plans')
          .where('stored_at', '<', beforeMs)
          .where((e) =>
            e.not(
              e.exists(
                e
                  .selectFrom('runs')
                  .select('runs.id')
                  .whereRef('runs.plan_digest', '=', 'plans.digest')
                  .where('runs.ended_at', 'is', null),
              ),
            ),
          )
          .executeTakeFirst();
        const kept = tx.selectFrom('plans').select('plans.digest');
        await tx.deleteFrom('plan_uses').where('digest', 'not in', kept).execute();
        await tx.deleteFrom('plan_blobs').where('digest', 'not in', kept).execute();
        return Number(deleted.numDeletedRows);
      });
    },
  };
}

const USE = [
  'digest',
  'repository',
  'number',
  'head_sha as headSha',
  'base_sha as baseSha',
  'created_at as createdAt',
] as const;

function columnsOf(use: PlanUse) {
  return { repository: use.repository, number: use.number, head_sha: use.headSha, base_sha: use.baseSha };
}

function compressed(plan: Plan): Buffer {
  const text = Buffer.from(JSON.stringify(plan));
  if (text.byteLength > PLAN_MAX_BYTES) {
    throw new StoreError(
      'store-bound',
      `A plan of ${text.byteLength} bytes is over the limit of ${PLAN_MAX_BYTES}. Split the change into several pull requests.`,
    );
  }
  return packed(text);
}
