import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import ssh2, { type ParsedKey } from 'ssh2';
import { type Authority, authorityOf } from './authority.ts';
import { type Certificate, issueCertificate } from './certificate.ts';
import { HostError, messageOf } from './host-error.ts';
import type { HostTarget } from './target.ts';

/** What the engine logs in with. Never logged, never stored. */
export interface Credentials {
  readonly kind: 'credentials';
  readonly keys: readonly PrivateKey[];
  /** Path of an SSH agent's socket (`SSH_AUTH_SOCK`), tried after the keys. */
  readonly agentSocket?: string;
  /** Tried before the keys. */
  readonly authority?: CertificateAuthority;
}

/** Signs a certificate of its own for every login, so that hosts need to know only the authority. */
export interface CertificateAuthority {
  readonly key: PrivateKey;
  /** Addresses or CIDR blocks from which the certificates count; left out: from anywhere. */
  readonly sources?: readonly string[];
  /** Epoch ms. */
  readonly clock?: () => number;
}

export function authorityFrom(path: string, sources: readonly string[] | undefined): CertificateAuthority {
  return { key: { kind: 'key-file', path }, ...(sources === undefined ? {} : { sources }) };
}

export type PrivateKey =
  | { readonly kind: 'key-file'; readonly path: string; readonly passphrase?: string }
  | { readonly kind: 'key-bytes'; readonly pem: Uint8Array; readonly passphrase?: string };

/** Parsed keys; decrypting one can cost 100 ms, so a transport keeps them. */
export interface Login {
  readonly kind: 'login';
  readonly keys: readonly ParsedKey[];
  readonly agentSocket: string | undefined;
  readonly issuer: Issuer | undefined;
}

export interface Issuer {
  readonly authority: Authority;
  /** A new one for each login, so none is ever renewed. */
  readonly issue: (target: HostTarget) => Certificate;
}

/** No key file is larger; guards against a wrong path. */
const KEY_FILE_MAX_BYTES = 64 * 1024;

/** Throws `credentials-unusable` that names the file and the repair, never its content. */
export async function loadLogin(credentials: Credentials, target: HostTarget): Promise<Login> {
  const { keys, agentSocket, authority } = credentials;
  if (keys.length === 0 && agentSocket === undefined && authority === undefined) {
    throw unusable(
      target,
      'there is no private key, no certificate authority and no agent. Set DOAAS_SSH_KEY_FILE, DOAAS_SSH_CA_KEY_FILE or SSH_AUTH_SOCK',
    );
  }
  try {
    const issuer = authority === undefined ? undefined : await loadIssuer(authority);
    return { kind: 'login', keys: await loadKeys(credentials), agentSocket, issuer };
  } catch (error) {
    throw error instanceof KeyProblem ? unusable(target, error.message) : error;
  }
}

/** What is wrong with the keys, without a full stop; undefined when all can be used. */
export function keyProblem(credentials: Credentials): Promise<string | undefined> {
  return problemOf(() => loadKeys(credentials));
}

/** The same of the certificate authority's key. */
export async function authorityProblem({ authority }: Credentials): Promise<string | undefined> {
  return authority === undefined ? undefined : problemOf(() => loadIssuer(authority));
}

async function problemOf(load: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await load();
    return undefined;
  } catch (error) {
    if (error instanceof KeyProblem) return error.message;
    throw error;
  }
}

class KeyProblem extends Error {}

async function loadKeys({ keys }: Credentials): Promise<readonly ParsedKey[]> {
  const loaded: ParsedKey[] = [];
  for (const key of keys) loaded.push(await loadKey(key));
  return loaded;
}

async function loadIssuer({ key, sources = [], clock = Date.now }: CertificateAuthority): Promise<Issuer> {
  const where = key.kind === 'key-file' ? `the CA key file ${key.path}` : 'the configured CA key';
  const authority = authorityOf(await loadKey(key, where));
  if (authority === undefined) throw new KeyProblem(`${where} is not an Ed25519, ECDSA or RSA key`);
  const issue = (target: HostTarget) =>
    issueCertificate(authority, {
      principal: target.user,
      keyId: `doaas@${hostname()} on ${target.name}`,
      sources,
      now: clock(),
    });
  return { authority, issue };
}

async function loadKey(key: PrivateKey, where = nameOf(key)): Promise<ParsedKey> {
  const bytes = key.kind === 'key-file' ? await readKeyFile(key.path, where) : Buffer.from(key.pem);
  const parsed: ParsedKey | Error = ssh2.utils.parseKey(bytes, key.passphrase);
  if (parsed instanceof Error)
    throw new KeyProblem(`${where} cannot be used: ${parseProblem(parsed.message)}`);
  if (!parsed.isPrivateKey()) throw new KeyProblem(`${where} holds a public key; the private one is needed`);
  return parsed;
}

function nameOf(key: PrivateKey): string {
  return key.kind === 'key-file' ? `the private key file ${key.path}` : 'the configured private key';
}

async function readKeyFile(path: string, where: string): Promise<Buffer> {
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new KeyProblem(`${where} is not a file`);
    if (info.size > KEY_FILE_MAX_BYTES) throw new KeyProblem(`${where} is too large for a key`);
    if ((info.mode & 0o077) !== 0) {
      const mode = (info.mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyProblem(`${where} has mode ${mode}, so others may read it. Run: chmod 600 ${path}`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof KeyProblem) throw error;
    throw new KeyProblem(`${where} cannot be read: ${messageOf(error)}`);
  }
}

/** ssh2 puts the words below into its messages; anything else could quote key material, so it is not shown. */
function parseProblem(message: string): string {
  if (/no passphrase/i.test(message)) return 'it is encrypted and no passphrase is set';
  if (/passphrase|decrypt|integrity/i.test(message)) return 'its passphrase is wrong';
  return 'it is not a private key in OpenSSH or PEM format';
}

function unusable(target: HostTarget, problem: string): HostError {
  return new HostError('credentials-unusable', target.name, `Cannot log in to ${target.name}: ${problem}.`);
}
