import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { Secret } from '../config/secret.ts';

// A CommonJS module whose names Node does not see.
const { temporal } = proto;

/** Marks an encrypted payload, as Temporal's own encryption samples do. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const CIPHER = 'aes-256-gcm';
/** NIST SP 800-38D: 96-bit random nonces and 128-bit tags. Bytes. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_CHARS = 16;

/** The log names its type only. */
export class CodecError extends Error {
  readonly type: 'payload-undecryptable' | 'payload-not-encrypted';

  constructor(message: string, type: CodecError['type'] = 'payload-undecryptable') {
    super(message);
    this.type = type;
  }
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

export interface EncryptionKeys {
  /** 32 bytes in base64. */
  readonly current: Secret;
  readonly previous?: Secret | undefined;
  /** Also what was written before encryption was turned on, and what anybody else put into Temporal. */
  readonly acceptPlain?: boolean;
}

/**
 * Encrypts every payload that goes to Temporal with `current`; reads what `current` or `previous` wrote, and refuses the rest. The whole payload is
 * encrypted, its metadata too; the key's id is authenticated.
 */
export function encryptionCodec({ current, previous, acceptPlain = false }: EncryptionKeys): PayloadCodec {
  const key = keyOf(current);
  const keys = new Map(
    [key, ...(previous === undefined ? [] : [keyOf(previous)])].map((known) => [known.id, known]),
  );
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, key)),
    decode: async (payloads) =>
      payloads.map((payload) =>
        isEncrypted(payload) ? decrypt(payload, keys) : plain(payload, acceptPlain),
      ),
  };
}

/** The id tells two keys apart and nothing else about them. */
function keyOf(secret: Secret): Key {
  const bytes = Buffer.from(secret.reveal(), 'base64');
  const id = createHash('sha256')
    .update('doaas payload key id\0')
    .update(bytes)
    .digest('hex')
    .slice(0, KEY_ID_CHARS);
  return { id, bytes };
}

function encrypt(payload: Payload, key: Key): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.bytes, nonce).setAAD(Buffer.from(key.id));
  const plain = temporal.api.common.v1.Payload.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: { [METADATA_ENCODING_KEY]: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(key.id) },
    data,
  };
}

function isEncrypted(payload: Payload): boolean {
  return metadata(payload, METADATA_ENCODING_KEY) === ENCODING;
}

function plain(payload: Payload, isAccepted: boolean): Payload {
  if (isAccepted) return payload;
  throw new CodecError(
    'What Temporal gave is not encrypted, though DOAAS_ENCRYPTION_KEY is set, so it was refused: somebody else may have put it there. If it is from before the key was set, set DOAAS_ENCRYPTION_ACCEPT_PLAIN=yes until the workflows from then have ended (docs/upgrading.md).',
    'payload-not-encrypted',
  );
}

function decrypt(payload: Payload, keys: ReadonlyMap<string, Key>): Payload {
  const id = metadata(payload, KEY_ID);
  const key = keys.get(id);
  if (key === undefined) {
    throw new CodecError(
      `A payload is encrypted with the key ${id}, which is not configured. Set DOAAS_ENCRYPTION_KEY_PREVIOUS to the key that was used before.`,
    );
  }
  const data = Buffer.from(payload.data ?? []);
  if (data.length < NONCE_BYTES + TAG_BYTES) throw new CodecError('An encrypted payload is cut short.');
  const decipher = createDecipheriv(CIPHER, key.bytes, data.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(id)).setAuthTag(data.subarray(-TAG_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return temporal.api.common.v1.Payload.decode(plain);
  } catch {
    throw new CodecError(`An encrypted payload (key ${id}) was altered or is damaged.`);
  }
}

function metadata(payload: Payload, key: string): string {
  return Buffer.from(payload.metadata?.[key] ?? []).toString();
}
