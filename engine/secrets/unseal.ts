import { createHash, createHmac } from 'node:crypto';
import { MAX_RENDERED_BYTES } from '../spec/limits.ts';
import type { Mask, SecretRef, SecretUse } from '../spec/secrets.ts';
import { SecretError } from './error.ts';
import { maskOf, maskOfThoseIn } from './mask.ts';

/** A content with its secrets filled in. Only in memory. */
export interface Unsealed {
  readonly bytes: Uint8Array;
  /** Hex, of the bytes: tells what a short secret is to whoever guesses, so it goes only to the host. */
  readonly sha256: string;
  /** Hex; says only whether two are the same, to who has not the key. */
  readonly fingerprint: string;
}

export interface Unsealing {
  /** Throws `SecretError`. */
  readonly unseal: (text: Uint8Array, uses: readonly SecretUse[]) => Promise<Unsealed>;
  /** Reads what `unseal` would need, so that `mask` knows it. */
  readonly learn: (uses: readonly SecretUse[]) => Promise<void>;
  /** The text without any value that has been read here, or the hash of a content that was unsealed here. */
  readonly mask: Mask;
  /** The same, for those alone of which something stands in `said`. */
  readonly maskOfThoseIn: (said: string) => Mask;
  /** A hash (hex) of what a host has, so that only who has the key can tell what was hashed. */
  readonly conceal: (hash: string) => string;
}

/** Marks a hash that `conceal` made. */
export const CONCEALED = 'keyed:';

export function openUnsealing(key: Uint8Array, read: (ref: SecretRef) => Promise<string>): Unsealing {
  const values = new Map<string, Promise<string>>();
  const known = new Map<string, string>();
  const contents = new Map<string, string>();
  let mask: Mask | undefined;
  const learnOne = async ({ name, ref }: SecretUse): Promise<string> => {
    const id = JSON.stringify(ref);
    const value = values.get(id) ?? read(ref);
    values.set(id, value);
    const text = await value;
    if (known.get(text) !== name) mask = undefined;
    known.set(text, name);
    return text;
  };
  return {
    unseal: async (text, uses) => {
      const filled = new Map<string, string>();
      for (const use of uses) filled.set(use.placeholder, await learnOne(use));
      const bytes = Buffer.from(fill(Buffer.from(text).toString('utf8'), filled), 'utf8');
      const sha256 = hash(bytes);
      if (filled.size > 0 && !contents.has(sha256)) {
        contents.set(sha256, [...new Set(uses.map(({ name }) => name))].join(', '));
        mask = undefined;
      }
      return { bytes, sha256, fingerprint: fingerprint(key, uses, bytes) };
    },
    learn: async (uses) => {
      for (const use of uses) await learnOne(use);
    },
    mask: (text) => {
      mask ??= maskOf(known, contents);
      return mask(text);
    },
    maskOfThoseIn: (said) => maskOfThoseIn(said, known, contents),
    conceal: (text) => `${CONCEALED}${createHmac('sha256', key).update(`before\0${text}`).digest('hex')}`,
  };
}

/** One pass, so that a value which reads like a placeholder stays as it is. */
function fill(text: string, values: ReadonlyMap<string, string>): string {
  const parts = text.split(new RegExp(`(${[...values.keys()].map(escaped).join('|')})`, 'u'));
  const filled = parts.map((part) => values.get(part) ?? part);
  const size = filled.reduce((sum, part) => sum + part.length, 0);
  if (size > MAX_RENDERED_BYTES)
    throw new SecretError(`with its secrets the content is larger than ${MAX_RENDERED_BYTES / 1024} KiB`);
  return filled.join('');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * Where the values come from is part of it: else a guess that somebody encrypts for the engine would have the
 * fingerprint of the real value once it is right.
 */
function fingerprint(key: Uint8Array, uses: readonly SecretUse[], bytes: Uint8Array): string {
  const refs = JSON.stringify(uses.map(({ ref }) => ref));
  return createHmac('sha256', key).update(`content\0${refs}\0`).update(bytes).digest('hex');
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
