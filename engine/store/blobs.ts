import { createHash } from 'node:crypto';
import { StoreError } from './error.ts';
import type { Connection } from './schema.ts';
import { bytesOf, type Clock } from './values.ts';

/** Upper bound of one payload, such as a file's content. */
export const BLOB_MAX_BYTES = 1024 * 1024;

/** Payload contents by their sha256 (hex), each kept once. */
export function blobsIn({ db }: Connection, now: Clock) {
  return {
    /** Stores the payloads, all or none, and returns their sha256 in order. Repeating it only renews their age. */
    async put(payloads: readonly Uint8Array[]): Promise<readonly string[]> {
      const rows = payloads.map((bytes) => ({
        sha256: sha256Of(bytes),
        bytes: bounded(bytes),
        stored_at: now(),
      }));
      await db.transaction().execute(async (tx) => {
        for (const row of rows) {
          await tx
            .insertInto('blobs')
            .values(row)
            .onConflict((c) => c.column('sha256').doUpdateSet({ stored_at: row.stored_at }))
            .execute();
        }
      });
      return rows.map((row) => row.sha256);
    },

    async get(sha256: string): Promise<Uint8Array | undefined> {
      const row = await db
        .selectFrom('blobs')
        .select('bytes')
        .where('sha256', '=', sha256)
        .executeTakeFirst();
      return row === undefined ? undefined : bytesOf(row.bytes);
    },

    /** Removes those stored before `beforeMs` (epoch ms) that no plan refers to; returns how many. */
    async prune(beforeMs: number): Promise<number> {
      const deleted = await db
        .deleteFrom('blobs')
        .where('stored_at', '<', beforeMs)
        .where('sha256', 'not in', (q) => q.selectFrom('plan_blobs').select('plan_blobs.sha256'))
        .executeTakeFirst();
      return Number(deleted.numDeletedRows);
    },
  };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > BLOB_MAX_BYTES) {
    throw new StoreError(
      'store-bound',
      `A payload of ${bytes.byteLength} bytes is over the limit of ${BLOB_MAX_BYTES}. Serve large files from a package or a download instead.`,
    );
  }
  // A plain Buffer is what both drivers take as binary.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
