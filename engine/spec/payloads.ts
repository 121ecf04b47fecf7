import { createHash } from 'node:crypto';
import type { Payload } from './configuration.ts';
import { decodeUtf8 } from './decode.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';

/** Collects contents by their hash while a repository is resolved. */
export interface PayloadStore {
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** Undefined once all contents together are over `MAX_PAYLOAD_BYTES`. */
  readonly add: (bytes: Uint8Array) => Payload | undefined;
}

export function payloadStore(): PayloadStore {
  const contents = new Map<string, Uint8Array>();
  // The same bytes are asked for once a host.
  const known = new WeakMap<Uint8Array, Payload>();
  let total = 0;
  return {
    contents,
    add: (bytes) => {
      const payload = known.get(bytes) ?? describe(bytes);
      known.set(bytes, payload);
      if (contents.has(payload.sha256)) return payload;
      total += payload.size;
      if (total > MAX_PAYLOAD_BYTES) return undefined;
      contents.set(payload.sha256, bytes);
      return payload;
    },
  };
}

function describe(bytes: Uint8Array): Payload {
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    text: !bytes.includes(0) && decodeUtf8(bytes) !== undefined,
  };
}
