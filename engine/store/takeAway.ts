import type { Kysely } from 'kysely';
import { appendAudit } from './audit.ts';
import { setRecovery } from './hosts.ts';
import { leaveHost, placeOf } from './leave.ts';
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
  const run = await runOf(tx, lock.runId);
  const stays = run?.state === 'held';
  if (stays) await leave(tx, lock, actor, at);
  else await setRecovery(tx, lock.host, true, reasonOf(lock, actor), at);
  const detail = { host: lock.host, runId: lock.runId, pull: lock.pull, fence: lock.fence, stays };
  await appendAudit(tx, dialect, { who: actor, what: 'force-release', ...run?.place, detail }, at);
  return stays;
}

/** Its state, and where entries about it belong in the audit log. */
async function runOf(tx: Kysely<Schema>, id: string) {
  const columns = [
    'state',
    'repository',
    'pull_number as pullNumber',
    'head_sha as headSha',
    'plan_digest as planDigest',
  ] as const;
  const run = await tx.selectFrom('runs').select(columns).where('id', '=', id).executeTakeFirst();
  return run && { state: run.state, place: placeOf(run) };
}

function reasonOf({ runId, pull }: HeldLock, actor: string): string {
  return `${actor} released the lock of run ${runId} (${pull}) by force`;
}

/** The run's receipts on this host count as settled by a person; with its last lock the run itself has ended. */
async function leave(tx: Kysely<Schema>, { host, runId }: HeldLock, who: string, at: number): Promise<void> {
  await leaveHost(tx, runId, host, who, at);
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
  const run = await runOf(tx, runId);
  const entry = { who: actor, what: 'drop-waiter', ...run?.place, detail: { runId, pull: gone.pull } };
  await appendAudit(tx, dialect, entry, at);
  return true;
}
