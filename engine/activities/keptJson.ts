import { BLOB_MAX_BYTES } from '../store/blobs.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';

type Kept = Pick<Engine, 'store'>;

/** Puts into the store what is too much for a history, or not for it, and returns the sha256 of its pieces, in order. */
export function keepJson({ store }: Kept, value: unknown): Promise<readonly string[]> {
  const bytes = Buffer.from(JSON.stringify(value));
  const pieces = Array.from({ length: Math.ceil(bytes.byteLength / BLOB_MAX_BYTES) }, (_, i) =>
    bytes.subarray(i * BLOB_MAX_BYTES, (i + 1) * BLOB_MAX_BYTES),
  );
  return store.blobs.put(pieces);
}

/** What was put there, by a process that is trusted as this one. */
export async function keptJson<T>({ store }: Kept, pieces: readonly string[]): Promise<T> {
  const read = await Promise.all(pieces.map((sha256) => store.blobs.get(sha256)));
  const missing = pieces.find((_, i) => read[i] === undefined);
  if (missing !== undefined)
    throw permanent(`${missing.slice(0, 8)} is not in the store any more; ask again`);
  return JSON.parse(Buffer.concat(read.flatMap((piece) => piece ?? [])).toString()) as T;
}
