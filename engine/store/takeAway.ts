import type { Kysely } from 'kysely';
import { appendAudit } from './audit.ts';
import { setRecovery } from './hosts.ts';
import type { HeldLock, Waiter } from './lock-order.ts';
import type { RunChange } from './runs.ts';
import type { Dialect, Schema } from './schema.ts';
import { detailText } from './values.ts';

/** By force, with all that follows, in one transaction. True: what the run left on the host stays as it is. */
export async function takeAway(
  tx: Kysely<Schema>,
  dialect: Dialect,
  lock: HeldLock,
  actor: string,
  at: number,
): Promise<boolean> {
  await tx.deleteFrom('locks').where('host_identity', '=', lock.host).execute();
  const run = await tx.selectFrom('runs').select('state').where('id', '=', lock.runId).executeTakeFirst();
  const stays = run?.state === 'held';
  if (stays) await leave(tx, lock, actor, at);
  else await setRecovery(tx, lock.host, true, reasonOf(lock, actor), at);
  const detail = { host: lock.host, runId: lock.runId, pull: lock.pull, fence: lock.fence, stays };
  await appendAudit(tx, dialect, { who: actor, what: 'force-release', detail }, at);
  return stays;
}

function reasonOf({ runId, pull }: HeldLock, actor: string): string {
  return `${actor} released the lock of run ${runId} (${pull}) by force`;
}

/** The run's receipts on this host count as settled by a person; with its last lock the run itself has ended. */
async function leave(tx: Kysely<Schema>, { host, runId }: HeldLock, who: string, at: number): Promise<void> {
  await tx
    .insertInto('left_hosts')
    .values({ run_id: runId, host_identity: host, who, at })
    .onConflict((c) => c.columns(['run_id', 'host_identity']).doNothing())
    .execute();
  const more = await tx.selectFrom('locks').select('fence').where('run_id', '=', runId).executeTakeFirst();
  if (more !== undefined) return;
  await tx.updateTable('runs').set({ state: 'failed', ended_at: at }).where('id', '=', runId).execute();
}

/** False where it does not wait any more. What waits has done nothing, so nothing is left to undo. */
export async function dropWaiter(
  tx: Kysely<Schema>,
  dialect: Dialect,
  { runId, workflowId, detail }: Pick<Waiter, 'runId' | 'workflowId'> & Pick<RunChange, 'detail'>,
  actor: string,
  at: number,
): Promise<boolean> {
  const gone = await tx
    .deleteFrom('lock_queue')
    .where('run_id', '=', runId)
    .where('workflow_id', '=', workflowId)
    .returning('pull')
    .executeTakeFirst();
  if (gone === undefined) return false;
  await tx
    .updateTable('runs')
    .set({
      state: 'cancelled',
      ended_at: at,
      ...(detail === undefined ? {} : { detail: detailText(detail) }),
    })
    .where('id', '=', runId)
    .where('ended_at', 'is', null)
    .execute();
  await appendAudit(tx, dialect, { who: actor, what: 'drop-waiter', detail: { runId, pull: gone.pull } }, at);
  return true;
}
