import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { Authority } from './authority.ts';
import { lengthed, uint32, uint64 } from './wire.ts';

/** What a host is shown at a login: a key that lives for this login, and whom the authority says it is. */
export interface Certificate {
  readonly kind: 'certificate';
  readonly privateKey: KeyObject;
  /** Signed by the authority, as OpenSSH's PROTOCOL.certkeys has it. */
  readonly blob: Buffer;
  readonly principal: string;
  /** Epoch seconds, both by the engine's clock. */
  readonly validAfter: number;
  readonly validBefore: number;
}

export interface CertificateRequest {
  /** The login user. */
  readonly principal: string;
  /** For the host's log. */
  readonly keyId: string;
  /** Addresses or CIDR blocks from which it counts; none: from anywhere. */
  readonly sources: readonly string[];
  /** Epoch ms. */
  readonly now: number;
}

export const CERTIFICATE_TYPE = 'ssh-ed25519-cert-v01@openssh.com';
const PLAIN_TYPE = 'ssh-ed25519';

/** A connection that is logged in outlives its certificate, so a login that waits for a busy host is the longest need. */
export const CERTIFICATE_SECONDS = 300;
/** Hosts whose clock is behind the engine's by less than this accept it. */
export const CLOCK_SKEW_SECONDS = 60;

const NONCE_BYTES = 32;
/** SSH2_CERT_TYPE_USER */
const USER_CERTIFICATE = 1;

/** Makes a key pair in memory and has it signed. Nothing of it is written anywhere. */
export function issueCertificate(authority: Authority, request: CertificateRequest): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const now = Math.floor(request.now / 1000);
  const validAfter = now - CLOCK_SKEW_SECONDS;
  const validBefore = now + CERTIFICATE_SECONDS;
  const body = Buffer.concat([
    lengthed(CERTIFICATE_TYPE),
    lengthed(randomBytes(NONCE_BYTES)),
    lengthed(rawKey(publicKey)),
    uint64(randomBytes(8).readBigUInt64BE()),
    uint32(USER_CERTIFICATE),
    lengthed(request.keyId),
    lengthed(lengthed(request.principal)),
    uint64(BigInt(validAfter)),
    uint64(BigInt(validBefore)),
    lengthed(criticalOptions(request.sources)),
    lengthed(EXTENSIONS),
    lengthed(''),
    lengthed(authority.publicKey),
  ]);
  const blob = Buffer.concat([body, lengthed(authority.sign(body))]);
  const { principal } = request;
  return { kind: 'certificate', privateKey, blob, principal, validAfter, validBefore };
}

/** No terminal, no agent, no X11, no ~/.ssh/rc. Jump hosts and probes are reached by forwarding. */
const EXTENSIONS = Buffer.concat([lengthed('permit-port-forwarding'), lengthed('')]);

function criticalOptions(sources: readonly string[]): Buffer {
  if (sources.length === 0) return Buffer.alloc(0);
  return Buffer.concat([lengthed('source-address'), lengthed(lengthed(sources.join(',')))]);
}

/** The 32 bytes themselves (RFC 8032). */
function rawKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

/** The same key without its certificate, as `TYPE BASE64`. */
export function plainKey({ privateKey }: Pick<Certificate, 'privateKey'>): string {
  const blob = Buffer.concat([lengthed(PLAIN_TYPE), lengthed(rawKey(privateKey))]);
  return `${PLAIN_TYPE} ${blob.toString('base64')}`;
}

/** The signature of a login as sshd wants it: named after the plain key, although the request names the certificate. */
export function certificateSignature(raw: Uint8Array): Buffer {
  return Buffer.concat([lengthed(PLAIN_TYPE), lengthed(raw)]);
}
