import { hkdfSync, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;

/** From a setting; another use of the same setting gives another key (RFC 5869). */
export function derivedKey(setting: string): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', Buffer.from(setting, 'base64'), '', 'doaas fingerprints of secrets v1', KEY_BYTES),
  );
}

export function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}
