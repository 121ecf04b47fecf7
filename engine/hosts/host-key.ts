import { createHash } from 'node:crypto';
import { HostError } from './host-error.ts';
import { describeTarget, type HostTarget } from './target.ts';

/** One public key: `ssh-ed25519 AAAA...` taken apart. */
export interface HostKey {
  readonly kind: 'host-key';
  readonly type: string;
  readonly blob: Buffer;
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replaceAll('=', '')}`;
}

/** The type name stands first in the blob, length-prefixed (RFC 4253, 6.6). */
export function keyType(blob: Buffer): string {
  if (blob.length < 4) return '';
  const length = blob.readUInt32BE(0);
  return length > 64 ? '' : blob.toString('latin1', 4, 4 + length);
}

/** Accepts `TYPE BASE64 [comment]`. Undefined when it is not a public key line or its type does not match its bytes. */
export function parseHostKey(line: string): HostKey | undefined {
  const [type, encoded] = line.trim().split(/\s+/);
  if (type === undefined || encoded === undefined) return undefined;
  const blob = Buffer.from(encoded, 'base64');
  return keyType(blob) === type ? { kind: 'host-key', type, blob } : undefined;
}

export function formatHostKey(blob: Buffer): string {
  return `${keyType(blob)} ${blob.toString('base64')}`;
}

/** The pinned keys of a target; refuses to go on without one. */
export function pinnedKeys(target: HostTarget): readonly HostKey[] {
  const keys = target.hostKeys.map((line) => {
    const key = parseHostKey(line);
    if (key !== undefined) return key;
    const text = `${describeTarget(target)}: the pinned host key "${line.slice(0, 40)}" is not a public key line such as "ssh-ed25519 AAAA...".`;
    throw new HostError('host-key-unknown', target.name, text);
  });
  if (keys.length > 0) return keys;
  const text = `${describeTarget(target)} has no pinned host key, so its identity cannot be checked; nothing was sent. Run "doaas scan ${target.address}:${target.port}", compare the fingerprint with the machine's own, and put the key into the Server document as hostKey.`;
  throw new HostError('host-key-unknown', target.name, text);
}

export function hostKeyMismatch(target: HostTarget, pinned: readonly HostKey[], got: Buffer): HostError {
  const { firstSeen } = target;
  const expected = pinned.map((key) => `${key.type} ${fingerprint(key.blob)}`).join(' or ');
  const known =
    firstSeen === undefined ? 'the pinned one' : `the one that it was first seen with (${firstSeen})`;
  const mend =
    firstSeen === undefined
      ? 'change hostKey in its Server document'
      : `pin the new key as hostKey in its Server document: "${formatHostKey(got)}"`;
  const text = `${describeTarget(target)} showed another host key than ${known}; nothing was sent. Expected ${expected}; got ${keyType(got)} ${fingerprint(got)}. If the machine was reinstalled, compare with "ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub" on its console and ${mend}; if not, somebody may be in between.`;
  return new HostError('host-key-mismatch', target.name, text);
}

/** Algorithms to offer: those of the pinned types first, so that a server with several keys shows the pinned one. */
export function hostKeyAlgorithms<A extends string>(pinned: readonly HostKey[], all: readonly A[]): A[] {
  const wanted = (algorithm: string) => pinned.some((key) => algorithmsOf(key.type).includes(algorithm));
  return [...all.filter(wanted), ...all.filter((algorithm) => !wanted(algorithm))];
}

/** RSA keys sign with SHA-2 under other names than their type (RFC 8332). */
function algorithmsOf(type: string): readonly string[] {
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type];
}
