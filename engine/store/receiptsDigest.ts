import { createHash } from 'node:crypto';
import type { StoredReceipt } from './receipts.ts';

/** sha256, hex, over all that receipts say, in an order of their own. */
export function receiptsDigest(receipts: readonly StoredReceipt[]): string {
  return hashed(receipts, (r) => [
    r.runId,
    r.host,
    r.hostIdentity,
    r.stepId,
    r.state,
    r.beforeHash,
    r.afterHash,
    r.at,
    r.detail,
  ]);
}

/** Of entries from before `receiptsDigest`. */
export function receiptsSha256(receipts: readonly StoredReceipt[]): string {
  return hashed(receipts, ({ host, stepId, state }) => [host, stepId, state]);
}

function hashed(
  receipts: readonly StoredReceipt[],
  fieldsOf: (receipt: StoredReceipt) => readonly unknown[],
): string {
  const lines = receipts.map((receipt) => JSON.stringify(fieldsOf(receipt))).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
