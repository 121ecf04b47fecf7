import type { Kysely } from 'kysely';
import { appendAudit } from './audit.ts';
import { type Recovery, setRecovery } from './hosts.ts';
import { TOUCHED } from './receipts.ts';
import type { Run } from './runs.ts';
import type { Connection, Schema } from './schema.ts';

/** What the run did on this host counts as settled by a person. */
export async function leaveHost(
  tx: Kysely<Schema>,
  runId: string,
  host: string,
  who: string,
  at: number,
): Promise<void> {
  await tx
    .insertInto('left_hosts')
    .values({ run_id: runId, host_identity: host, who, at })
    .onConflict((c) => c.columns(['run_id', 'host_identity']).doNothing())
    .execute();
}

/**
 * A machine that no run will meet again: what these dead runs did there stays as it is. A run of which nothing else is left to undo has
 * ended with that. In one transaction, with an entry in the audit log for each run.
 */
export async function leaveDead(
  { db, dialect }: Connection,
  { identity }: Recovery,
  runs: readonly Run[],
  who: string,
  at: number,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const run of runs) {
      await leaveHost(tx, run.id, identity, who, at);
      if (!(await isMoreLeft(tx, run.id))) await endDead(tx, run.id, at);
      const detail = { run: run.id, host: identity };
      await appendAudit(tx, dialect, { who, what: 'leave', ...placeOf(run), detail }, at);
    }
    await setRecovery(tx, identity, false, '', at);
  });
}

/** Where an entry of the audit log about a run belongs. */
export function placeOf({ repository, pullNumber, headSha, planDigest }: RunPlace) {
  return {
    repository,
    ...(pullNumber === null ? {} : { pull: pullNumber }),
    ...(headSha === null ? {} : { headSha }),
    ...(planDigest === null ? {} : { digest: planDigest }),
  };
}

export type RunPlace = Pick<Run, 'repository' | 'pullNumber' | 'headSha' | 'planDigest'>;

async function isMoreLeft(tx: Kysely<Schema>, runId: string): Promise<boolean> {
  const open = await tx
    .selectFrom('receipts')
    .leftJoin('left_hosts', (j) =>
      j
        .onRef('left_hosts.run_id', '=', 'receipts.run_id')
        .onRef('left_hosts.host_identity', '=', 'receipts.host_identity'),
    )
    .select('receipts.step_id')
    .where('receipts.run_id', '=', runId)
    .where('receipts.state', 'in', TOUCHED)
    .where('left_hosts.run_id', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return open !== undefined;
}

async function endDead(tx: Kysely<Schema>, runId: string, at: number): Promise<void> {
  await tx
    .updateTable('runs')
    .set({ state: 'failed', ended_at: at })
    .where('id', '=', runId)
    .where('state', '=', 'needs-recovery')
    .execute();
}
