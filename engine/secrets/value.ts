import { SecretError } from './error.ts';

/** Room for keys and certificates. Bytes. */
export const SECRET_MAX_BYTES = 64 * 1024;

/** The value, if a text file can hold it; `where` names the secret in the error. */
export function checkedValue(value: string, where: string): string {
  if (value === '') throw new SecretError(`${where} is empty`);
  if (value.includes('\0'))
    throw new SecretError(`${where} holds a NUL character, which no text file can have`);
  if (/\p{Surrogate}/u.test(value)) throw new SecretError(`${where} is not valid Unicode`);
  if (Buffer.byteLength(value) > SECRET_MAX_BYTES)
    throw new SecretError(
      `${where} is larger than the ${SECRET_MAX_BYTES / 1024} KiB that a secret may have`,
    );
  return value;
}

/** UTF-8, or an error that says so. */
export function decoded(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SecretError(`${where} is not UTF-8 text`);
  }
}
