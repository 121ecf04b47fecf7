import type { Selectable } from 'kysely';
import type { Json } from '../operations/operation.ts';
import { FINAL_STATES } from './runs.ts';
import type { Connection, Schema } from './schema.ts';
import { type Clock, detailText, parseDetail } from './values.ts';

/**
 * How far one step came on one host: `captured` (undo data is safe, the effect may have begun), `done`, `already`
 * (reality had it), `failed`, `undone`, `unknown` (possibly done: read facts first).
 */
export type ReceiptState = 'captured' | 'done' | 'already' | 'failed' | 'undone' | 'unknown';

export interface Receipt {
  readonly runId: string;
  /** Name of the host in the repository. */
  readonly host: string;
  /** Address and host key: the same machine whatever it is called. */
  readonly hostIdentity: string;
  readonly stepId: string;
  readonly state: ReceiptState;
  /** Keyed hashes, never contents. */
  readonly beforeHash: string | null;
  readonly afterHash: string | null;
  readonly detail: Json;
}

export interface StoredReceipt extends Receipt {
  /** Epoch ms of the last change. */
  readonly at: number;
}

/** States after which the step may have left something on the host. */
export const TOUCHED = ['captured', 'done', 'failed', 'unknown'] as const satisfies readonly ReceiptState[];

export function receiptsIn({ db }: Connection, now: Clock) {
  return {
    /** All of them or none; the newest state of a step replaces the one before. */
    async save(receipts: readonly Receipt[]): Promise<void> {
      const rows = receipts.map((receipt) => toRow(receipt, now()));
      await db.transaction().execute(async (tx) => {
        for (const row of rows) {
          const { run_id: _run, host: _host, step_id: _step, ...changed } = row;
          await tx
            .insertInto('receipts')
            .values(row)
            .onConflict((c) => c.columns(['run_id', 'host', 'step_id']).doUpdateSet(changed))
            .execute();
        }
      });
    },

    async ofRun(runId: string): Promise<readonly StoredReceipt[]> {
      const rows = await db
        .selectFrom('receipts')
        .selectAll()
        .where('run_id', '=', runId)
        .orderBy('at')
        .orderBy('host')
        .orderBy('step_id')
        .execute();
      return rows.map(toReceipt);
    },

    /**
     * What runs that have not ended may have left on a host, oldest first; not what a person has left there on purpose.
     * `exceptRun` leaves the asking run out.
     */
    async open(hostIdentity: string, exceptRun?: string): Promise<readonly StoredReceipt[]> {
      const rows = await db
        .selectFrom('receipts')
        .leftJoin('runs', 'runs.id', 'receipts.run_id')
        .leftJoin('left_hosts', (j) =>
          j
            .onRef('left_hosts.run_id', '=', 'receipts.run_id')
            .onRef('left_hosts.host_identity', '=', 'receipts.host_identity'),
        )
        .selectAll('receipts')
        .where('receipts.host_identity', '=', hostIdentity)
        .where('left_hosts.run_id', 'is', null)
        .where('receipts.state', 'in', TOUCHED)
        .where((e) => e.or([e('runs.state', 'is', null), e('runs.state', 'not in', FINAL_STATES)]))
        .where('receipts.run_id', '!=', exceptRun ?? '')
        .orderBy('receipts.at')
        .orderBy('step_id')
        .execute();
      return rows.map(toReceipt);
    },

    /** What other runs did on a host after `sinceMs` (epoch ms), oldest first: a later rollback asks this. */
    async touchedSince(
      hostIdentity: string,
      sinceMs: number,
      exceptRun: string,
    ): Promise<readonly StoredReceipt[]> {
      const rows = await db
        .selectFrom('receipts')
        .selectAll()
        .where('host_identity', '=', hostIdentity)
        .where('state', 'in', TOUCHED)
        .where('at', '>=', sinceMs)
        .where('run_id', '!=', exceptRun)
        .orderBy('at')
        .orderBy('step_id')
        .execute();
      return rows.map(toReceipt);
    },
  };
}

function toRow(receipt: Receipt, at: number): Selectable<Schema['receipts']> {
  return {
    run_id: receipt.runId,
    host: receipt.host,
    host_identity: receipt.hostIdentity,
    step_id: receipt.stepId,
    state: receipt.state,
    before_hash: receipt.beforeHash,
    after_hash: receipt.afterHash,
    at,
    detail: detailText(receipt.detail),
  };
}

function toReceipt(row: Selectable<Schema['receipts']>): StoredReceipt {
  return {
    runId: row.run_id,
    host: row.host,
    hostIdentity: row.host_identity,
    stepId: row.step_id,
    state: row.state as ReceiptState,
    beforeHash: row.before_hash,
    afterHash: row.after_hash,
    at: row.at,
    detail: parseDetail(row.detail),
  };
}
