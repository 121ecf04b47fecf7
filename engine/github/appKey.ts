import { sign } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { privateKey } from '../config/parsers.ts';
import type { Secret } from '../config/secret.ts';
import type { Logger } from '../log.ts';

/** The App's private key as it is now. */
export type AppKey = () => Promise<Secret>;

/** No PEM key is larger. Bytes. */
const KEY_FILE_MAX_BYTES = 64 * 1024;

/**
 * `first` as it was at start; where it came from a file, the file is read again whenever it has changed. One that cannot
 * be read, or is only half written, leaves the key as it was until the next look.
 */
export function appKeyFrom(first: Secret, file: string | undefined, log: Logger): AppKey {
  if (file === undefined || file.trim() === '') return async () => first;
  let key = first;
  let seen: string | undefined;
  return async () => {
    try {
      const version = await versionOf(file);
      if (version === seen) return key;
      const read = privateKey((await readFile(file, 'utf8')).trim());
      if (seen !== undefined && read.reveal() !== key.reveal())
        log.info('the App has another private key now');
      key = read;
      seen = version;
    } catch (error) {
      log.warn({ err: error, file }, "the App's private key cannot be read again; the one before it stays");
    }
    return key;
  };
}

async function versionOf(file: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  if (size > KEY_FILE_MAX_BYTES) throw new Error('the file is too large for a key');
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

/** GitHub takes at most ten minutes; the start lies back for clocks that differ. Seconds. */
const JWT_SECONDS = 540;
const JWT_SKEW_SECONDS = 30;

/** What proves to GitHub that we are the App (RS256; GitHub's "Generating a JSON Web Token for a GitHub App"). `at`: epoch seconds. */
export function appJwt(
  appId: string | number,
  pem: string,
  at: number,
): { readonly jwt: string; readonly expiresAt: string } {
  const expires = at + JWT_SECONDS;
  const claims = { iat: at - JWT_SKEW_SECONDS, exp: expires, iss: String(appId) };
  const text = [{ alg: 'RS256', typ: 'JWT' }, claims].map(base64url).join('.');
  const signature = sign('RSA-SHA256', Buffer.from(text), pem).toString('base64url');
  return { jwt: `${text}.${signature}`, expiresAt: new Date(expires * 1000).toISOString() };
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
