import { armor, Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { load } from 'js-yaml';
import { SecretError } from './error.ts';
import { decoded } from './value.ts';

/** Names to values, in the order of the file. */
export type AgeEntries = ReadonlyMap<string, string>;

const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/;

/** A new key and what others encrypt to. */
export async function newAgeKey(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** Public key of a private one. */
export function recipientOf(identity: string): Promise<string> {
  return identityToRecipient(identity);
}

/** Whether it is a public key, with its checksum, that `encryptAge` can encrypt for. */
export function isRecipient(text: string): boolean {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}

/** Throws `SecretError`; the keys never stand in it. */
export async function decryptAge(bytes: Uint8Array, keys: readonly string[], path: string): Promise<string> {
  if (keys.length === 0) throw new SecretError(`${path} cannot be decrypted: DOAAS_AGE_KEY is not set`);
  const decrypter = new Decrypter();
  try {
    for (const key of keys) decrypter.addIdentity(key);
  } catch {
    throw new SecretError('DOAAS_AGE_KEY is not a key of age (AGE-SECRET-KEY-1...)');
  }
  try {
    const text = Buffer.from(bytes).toString('latin1');
    const plain = await decrypter.decrypt(text.startsWith(ARMOR) ? armor.decode(text) : bytes);
    return decoded(plain, path);
  } catch (error) {
    if (error instanceof SecretError) throw error;
    throw new SecretError(
      `${path} cannot be decrypted with DOAAS_AGE_KEY: it is damaged, or was made for other recipients`,
    );
  }
}

/** Armored, so that a diff of the repository shows a text. */
export async function encryptAge(text: string, recipients: readonly string[]): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(text));
}

/** What a parser says of a text quotes it, so nothing of that is passed on. */
export function parseEntries(text: string, path: string): AgeEntries {
  const value = parsed(text, path);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SecretError(`${path} does not hold a map of names to texts`);
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  return new Map(
    entries.map(([name, each], n) => {
      if (!NAME.test(name)) throw new SecretError(`${path}: the name of entry ${n + 1} is not allowed`);
      if (typeof each !== 'string') throw new SecretError(`${path}: ${name} is not text; write it in quotes`);
      return [name, each];
    }),
  );
}

function parsed(text: string, path: string): unknown {
  if (isComment(text)) return {};
  try {
    return load(text);
  } catch {
    throw new SecretError(`${path} does not hold valid YAML or JSON`);
  }
}

/** No document to the parser, and a map of nothing to whoever wrote it; an empty text is rather a mistake. */
function isComment(text: string): boolean {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.length > 0 && lines.every((line) => line.startsWith('#'));
}
