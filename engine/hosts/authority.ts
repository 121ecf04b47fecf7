import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import type { ParsedKey } from 'ssh2';
import { lengthed, mpint } from './wire.ts';

/** A certificate authority for logins; its private key is in memory only. */
export interface Authority {
  readonly kind: 'authority';
  /** `ssh-ed25519`, `ecdsa-sha2-nistp...` or `ssh-rsa`. */
  readonly type: string;
  /** As TrustedUserCAKeys of a host has it. */
  readonly publicKey: Buffer;
  /** The signature with its algorithm's name, as certificates hold it (RFC 4253, 6.6; RFC 5656, 3.1.2; RFC 8332). */
  readonly sign: (data: Uint8Array) => Buffer;
}

/** Undefined for a key that hosts do not take as an authority (DSA). */
export function authorityOf(key: ParsedKey): Authority | undefined {
  const signature = signatureOf(key.type, createPrivateKey(key.getPrivatePEM()));
  if (signature === undefined) return undefined;
  return { kind: 'authority', type: key.type, publicKey: key.getPublicSSH(), sign: signature };
}

function signatureOf(type: string, key: KeyObject): Authority['sign'] | undefined {
  switch (type) {
    case 'ssh-ed25519':
      return (data) => named(type, sign(null, data, key));
    case 'ssh-rsa':
      return (data) => named('rsa-sha2-512', sign('sha512', data, key));
    case 'ecdsa-sha2-nistp256':
      return (data) => named(type, ecdsa('sha256', data, key));
    case 'ecdsa-sha2-nistp384':
      return (data) => named(type, ecdsa('sha384', data, key));
    case 'ecdsa-sha2-nistp521':
      return (data) => named(type, ecdsa('sha512', data, key));
    default:
      return undefined;
  }
}

function named(algorithm: string, signature: Uint8Array): Buffer {
  return Buffer.concat([lengthed(algorithm), lengthed(signature)]);
}

function ecdsa(hash: string, data: Uint8Array, key: KeyObject): Buffer {
  const both = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const half = both.length / 2;
  return Buffer.concat([mpint(both.subarray(0, half)), mpint(both.subarray(half))]);
}
