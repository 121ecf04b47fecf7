import { createPrivateKey } from 'node:crypto';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type Secret, secret } from './secret.ts';

/** Turns the text of a setting into its value, or throws an Error whose message says what is expected. */
export type Parser<T> = (text: string) => T;

export const text: Parser<string> = (value) => value;

/** Absolute, so that a later change of the working directory changes nothing. */
export const path: Parser<string> = (value) => resolve(value);

export function integer(minimum: number, maximum: number): Parser<number> {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < minimum || number > maximum) {
      throw new Error(`expected a whole number from ${minimum} to ${maximum}`);
    }
    return number;
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): Parser<T> {
  return (value) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw new Error(`expected one of ${choices.join(', ')}`);
    return found;
  };
}

export function matching(pattern: RegExp, expected: string): Parser<string> {
  return (value) => {
    if (!pattern.test(value)) throw new Error(`expected ${expected}`);
    return value;
  };
}

/** Addresses and CIDR blocks, with commas between them. */
export const addresses: Parser<readonly string[]> = (value) => {
  const all = value.split(',').map((each) => each.trim());
  if (!all.every(isAddressBlock)) throw new Error('expected addresses such as 203.0.113.5,10.0.0.0/8');
  return all;
};

function isAddressBlock(value: string): boolean {
  const [address = '', bits, more] = value.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return (
    isIP(address) !== 0 &&
    more === undefined &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  );
}

/** An http or https URL without a trailing slash, so that paths can be appended. */
export const url: Parser<string> = (value) => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new Error('expected a URL such as https://example.org');
  }
  if (parsed.username !== '' || parsed.password !== '')
    throw new Error('must not contain a user or password');
  return value.replace(/\/+$/, '');
};

/** The same, or `off`. */
export const urlOrOff: Parser<string | undefined> = (value) => (value === 'off' ? undefined : url(value));

/** As `site` of a Server document (schemas/server.json). */
const SITE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Names of sites, commas between them. */
export const siteNames: Parser<readonly string[]> = (value) => {
  const names = value.split(',').map((name) => name.trim());
  const bad = names.find((name) => !SITE.test(name));
  if (bad !== undefined)
    throw new Error(
      `expected names of sites such as default,berlin; ${JSON.stringify(bad)} is none (lower-case letters, digits and "-")`,
    );
  return Object.freeze([...new Set(names)]);
};

export const databaseUrl: Parser<Secret> = (value) => {
  if (!/^postgres(ql)?:\/\//.test(value)) throw new Error('expected postgres://USER:PASSWORD@HOST/DATABASE');
  return secret(value);
};

export function secretOfLength(minimum: number): Parser<Secret> {
  return (value) => {
    if (value.length < minimum) throw new Error(`expected at least ${minimum} characters`);
    return secret(value);
  };
}

/** A PEM key; `\n` written as two characters is accepted, as environment files often hold it. */
export const privateKey: Parser<Secret> = (value) => {
  const pem = value.includes('\n') ? value : value.replaceAll('\\n', '\n');
  try {
    createPrivateKey(pem);
  } catch {
    throw new Error('expected the PEM text of a private key (-----BEGIN RSA PRIVATE KEY-----...)');
  }
  return secret(pem);
};

/** Bech32 of age's X25519 keys (age-encryption.org/v1). */
export const ageKey: Parser<Secret> = (value) => {
  const key = value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (key.length !== 1 || !/^AGE-SECRET-KEY-(PQ-)?1[A-Z0-9]{50,}$/.test(key[0] ?? ''))
    throw new Error('expected one key of age, AGE-SECRET-KEY-1...');
  return secret(key[0] ?? '');
};

const ENCRYPTION_KEY_BYTES = 32;

export const encryptionKey: Parser<Secret> = (value) => {
  if (!/^[A-Za-z0-9+/]+=*$/.test(value) || Buffer.from(value, 'base64').length !== ENCRYPTION_KEY_BYTES) {
    throw new Error(
      `expected ${ENCRYPTION_KEY_BYTES} bytes in base64, as \`openssl rand -base64 32\` prints`,
    );
  }
  return secret(value);
};
