import { gunzipSync, gzipSync } from 'node:zlib';
import { bytesOf } from './values.ts';

/** JSON text as a column holds it where it may be large. */
export function packed(text: Uint8Array): Buffer {
  return gzipSync(text, { level: 1 });
}

/** `maxBytes`: of the text. */
export function unpacked(column: Uint8Array | ArrayBuffer, maxBytes: number): unknown {
  return JSON.parse(gunzipSync(bytesOf(column), { maxOutputLength: maxBytes }).toString());
}
