import type { Kysely } from 'kysely';
import { StoreError } from './error.ts';
import type { UnitsOf, Waiter } from './lock-order.ts';
import type { LockRequest } from './locks.ts';
import type { Schema } from './schema.ts';
import { plainText } from './values.ts';

/** Runs that wait for locks at one time, in all. */
export const LOCK_QUEUE_MAX = 10_000;

export async function waits(tx: Kysely<Schema>, runId: string): Promise<boolean> {
  const place = tx.selectFrom('lock_queue').select('id').where('run_id', '=', runId);
  return (await place.executeTakeFirst()) !== undefined;
}

/** Thrown in the transaction, so that the place is not taken. */
export function queueFull(queueMax: number): StoreError {
  return new StoreError(
    'store-bound',
    `${queueMax} runs wait for servers already, so this one was given no place. Let some end, then ask for it again`,
  );
}

/** Adds the request to the queue, or finds it there; a repeated request keeps its place. */
export async function enqueue(
  tx: Kysely<Schema>,
  request: LockRequest,
  hosts: readonly string[],
  at: number,
): Promise<Waiter> {
  const { urgent = false, units = {} } = request;
  const row = {
    run_id: request.runId,
    urgent: urgent ? 1 : 0,
    workflow_id: request.workflowId,
    hosts: JSON.stringify(hosts),
    asked_at: at,
    pull: plainText(request.pull),
    why: plainText(request.why ?? ''),
    units: JSON.stringify(units),
  };
  const { id, asked_at: askedAt } = await tx
    .insertInto('lock_queue')
    .values(row)
    .onConflict((c) =>
      c.column('run_id').doUpdateSet({ hosts: row.hosts, units: row.units, workflow_id: row.workflow_id }),
    )
    .returning(['id', 'asked_at'])
    .executeTakeFirstOrThrow();
  const { runId, workflowId } = request;
  return { id, runId, workflowId, hosts, units, pull: row.pull, askedAt, urgent };
}

/** In the order in which they go. */
export async function readQueue(db: Kysely<Schema>): Promise<readonly Waiter[]> {
  const rows = await db
    .selectFrom('lock_queue')
    .select([
      'id',
      'run_id as runId',
      'workflow_id as workflowId',
      'hosts',
      'units',
      'pull',
      'asked_at as askedAt',
      'urgent',
    ])
    .orderBy('urgent', 'desc')
    .orderBy('id')
    .execute();
  return rows.map(({ hosts, units, urgent, ...row }) => ({
    ...row,
    hosts: JSON.parse(hosts) as readonly string[],
    units: JSON.parse(units) as UnitsOf,
    urgent: urgent === 1,
  }));
}
