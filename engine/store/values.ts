import type { Json } from '../operations/operation.ts';
import { StoreError } from './error.ts';

/** One JSON detail column: room for a summary of a run, not for its logs. */
export const DETAIL_MAX_BYTES = 256 * 1024;
/** One free-text column, such as a reason: longer ones are cut. */
export const TEXT_MAX_CHARACTERS = 4_096;

/** JSON text of a bounded detail. */
export function detailText(detail: Json | undefined): string {
  const text = JSON.stringify(detail ?? {});
  if (Buffer.byteLength(text) > DETAIL_MAX_BYTES) {
    throw new StoreError(
      'store-bound',
      `A detail of ${Buffer.byteLength(text)} bytes is over the store's ${DETAIL_MAX_BYTES}. Store its digest or a summary.`,
    );
  }
  return text;
}

export function parseDetail(text: string): Json {
  return JSON.parse(text) as Json;
}

/** PostgreSQL refuses NUL in text, and what comes from hosts or people may hold one. */
export function plainText(text: string): string {
  return text.slice(0, TEXT_MAX_CHARACTERS).replaceAll('\0', '\uFFFD');
}

/** libsql gives an ArrayBuffer where pg gives a Buffer. */
export function bytesOf(value: Uint8Array | ArrayBuffer): Uint8Array {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

/** The current time, injectable for tests. Epoch milliseconds UTC. */
export type Clock = () => number;
