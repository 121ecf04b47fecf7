import type { Kysely, Selectable } from 'kysely';
import type { Json } from '../operations/operation.ts';
import { type AuditEntry, appendAudit } from './audit.ts';
import { StoreError } from './error.ts';
import type { Connection, Schema } from './schema.ts';
import { type Clock, detailText, parseDetail } from './values.ts';

export type RunKind = 'apply' | 'rollback' | 'correction' | 'plan' | 'revert';
/** `needs-recovery`: its workflow has ended without it, and what it did is still to be undone. */
export type RunState =
  | 'queued'
  | 'running'
  | 'needs-recovery'
  | 'applied'
  | 'rolled-back'
  | 'held'
  | 'failed'
  | 'cancelled';

/** States that a run leaves no more. A held run waits for a person and can still end otherwise. */
export const FINAL_STATES = [
  'applied',
  'rolled-back',
  'failed',
  'cancelled',
] as const satisfies readonly RunState[];

export interface NewRun {
  /** Chosen by the caller, so that a retry names the same run. */
  readonly id: string;
  /** `owner/name` */
  readonly repository: string;
  readonly pullNumber: number | null;
  readonly kind: RunKind;
  readonly planDigest: string | null;
  readonly headSha: string | null;
  readonly baseSha: string | null;
  readonly actor: string;
  readonly detail?: Json;
}

export interface Run extends Omit<NewRun, 'detail'> {
  readonly mergeSha: string | null;
  readonly state: RunState;
  /** Epoch ms. */
  readonly startedAt: number;
  /** Epoch ms; null while the run has not come to a final state. */
  readonly endedAt: number | null;
  readonly detail: Json;
}

export type OpenRun = Pick<Run, 'id' | 'state' | 'repository' | 'pullNumber'>;

export interface RunChange {
  readonly state?: RunState;
  readonly mergeSha?: string;
  readonly detail?: Json;
}

/** How long it is tried to show how a run ended where GitHub will not have that. */
const UNSHOWN_KEPT_MS = 30 * 24 * 3600 * 1000;

/** Upper bound of one listing. */
export const RUNS_LISTED_MAX = 500;

export function runsIn({ db, dialect }: Connection, now: Clock) {
  const select = () => db.selectFrom('runs').selectAll();
  return {
    /** Idempotent: a run that is there already is returned as it is. */
    async create(run: NewRun): Promise<Run> {
      const row = newRow(run, now());
      await db
        .insertInto('runs')
        .values(row)
        .onConflict((c) => c.column('id').doNothing())
        .execute();
      return toRun(await select().where('id', '=', run.id).executeTakeFirstOrThrow());
    },

    async get(id: string): Promise<Run | undefined> {
      const row = await select().where('id', '=', id).executeTakeFirst();
      return row && toRun(row);
    },

    /**
     * Repeating a change is harmless. Leaving a final state is `store-conflict`. `entry`: of the audit log, there if and
     * only if the change is.
     */
    async update(id: string, change: RunChange, entry?: AuditEntry): Promise<void> {
      if (entry === undefined) return updateRun(db, id, change, now());
      await db.transaction().execute(async (tx) => {
        await updateRun(tx, id, change, now());
        await appendAudit(tx, dialect, entry, now());
      });
    },

    /** Newest first. */
    async ofPull(repository: string, pullNumber: number): Promise<readonly Run[]> {
      const query = select().where('repository', '=', repository).where('pull_number', '=', pullNumber);
      return (await query.orderBy('started_at', 'desc').orderBy('id').limit(RUNS_LISTED_MAX).execute()).map(
        toRun,
      );
    },

    /** Runs that have not ended, oldest first. */
    async open(): Promise<readonly Run[]> {
      const query = select().where('state', 'not in', FINAL_STATES);
      return (await query.orderBy('started_at').orderBy('id').limit(RUNS_LISTED_MAX).execute()).map(toRun);
    },

    /** The same, all of them, without what each has in its detail: a plan needs their names only. */
    async openStates(): Promise<readonly OpenRun[]> {
      const query = db.selectFrom('runs').select(['id', 'state', 'repository', 'pull_number']);
      const open = query.where('state', 'not in', FINAL_STATES).orderBy('started_at').orderBy('id');
      return (await open.execute()).map(({ id, state, repository, pull_number: pullNumber }) => {
        return { id, state: state as RunState, repository, pullNumber };
      });
    },

    /** All runs of a repository that were under way at any time since `sinceMs` (epoch ms), read a listing at a time. */
    async *activeSince(repository: string, sinceMs: number): AsyncGenerator<Run> {
      const active = select()
        .where('repository', '=', repository)
        .where((e) => e.or([e('ended_at', 'is', null), e('ended_at', '>=', sinceMs)]))
        .orderBy('id')
        .limit(RUNS_LISTED_MAX);
      let rows = await active.execute();
      while (rows.length > 0) {
        yield* rows.map(toRun);
        rows = await active.where('id', '>', rows.at(-1)?.id ?? '').execute();
      }
    },

    /** A repository's runs of one kind that began at `sinceMs` (epoch ms) or later, newest first; of these states, or all. */
    async ofKind(
      repository: string,
      kind: RunKind,
      sinceMs: number,
      states?: readonly RunState[],
    ): Promise<readonly Run[]> {
      const all = select()
        .where('repository', '=', repository)
        .where('kind', '=', kind)
        .where('started_at', '>=', sinceMs);
      const query = states === undefined ? all : all.where('state', 'in', states);
      return (await query.orderBy('started_at', 'desc').orderBy('id').limit(RUNS_LISTED_MAX).execute()).map(
        toRun,
      );
    },

    /** Runs of the last month, of one repository or of all, whose detail has an end that was not shown; oldest first. */
    async unshown(repository?: string): Promise<readonly Run[]> {
      const since = now() - UNSHOWN_KEPT_MS;
      const all = select()
        .where((e) => e.or([e('ended_at', 'is', null), e('ended_at', '>=', since)]))
        .where('detail', 'like', '%"unshown":{%');
      const query = repository === undefined ? all : all.where('repository', '=', repository);
      return (await query.orderBy('started_at').orderBy('id').limit(RUNS_LISTED_MAX).execute()).map(toRun);
    },

    /** Newest first, over all repositories. */
    async recent(limit: number): Promise<readonly Run[]> {
      const rows = await select()
        .orderBy('started_at', 'desc')
        .orderBy('id')
        .limit(Math.min(limit, RUNS_LISTED_MAX))
        .execute();
      return rows.map(toRun);
    },
  };
}

async function updateRun(db: Kysely<Schema>, id: string, change: RunChange, at: number): Promise<void> {
  const updated = await db
    .updateTable('runs')
    .set(changedColumns(change, at))
    .where('id', '=', id)
    .where((e) => e.or([e('state', 'not in', FINAL_STATES), e('state', '=', change.state ?? e.ref('state'))]))
    .executeTakeFirst();
  if (updated.numUpdatedRows === 1n) return;
  const run = await db.selectFrom('runs').select('state').where('id', '=', id).executeTakeFirst();
  const found = run === undefined ? 'is not in the store' : `has ended as ${run.state}`;
  throw new StoreError(
    'store-conflict',
    `Run ${id} ${found}; it cannot become ${change.state}. Start a new run.`,
  );
}

function newRow(run: NewRun, at: number): Selectable<Schema['runs']> {
  return {
    id: run.id,
    repository: run.repository,
    pull_number: run.pullNumber,
    kind: run.kind,
    plan_digest: run.planDigest,
    head_sha: run.headSha,
    base_sha: run.baseSha,
    merge_sha: null,
    state: 'queued',
    started_at: at,
    ended_at: null,
    actor: run.actor,
    detail: detailText(run.detail),
  };
}

function changedColumns(change: RunChange, at: number) {
  const final = FINAL_STATES.some((state) => state === change.state);
  return {
    ...(change.state === undefined ? {} : { state: change.state, ended_at: final ? at : null }),
    ...(change.mergeSha === undefined ? {} : { merge_sha: change.mergeSha }),
    ...(change.detail === undefined ? {} : { detail: detailText(change.detail) }),
  };
}

function toRun(row: Selectable<Schema['runs']>): Run {
  return {
    id: row.id,
    repository: row.repository,
    pullNumber: row.pull_number,
    kind: row.kind as RunKind,
    planDigest: row.plan_digest,
    headSha: row.head_sha,
    baseSha: row.base_sha,
    mergeSha: row.merge_sha,
    state: row.state as RunState,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    actor: row.actor,
    detail: parseDetail(row.detail),
  };
}
