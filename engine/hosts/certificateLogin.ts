import { sign } from 'node:crypto';
import ssh2, {
  type Client,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import { CERTIFICATE_TYPE, type Certificate, certificateSignature, plainKey } from './certificate.ts';
import { lengthed } from './wire.ts';

/** Holds one certificate, as an ssh-agent would: ssh2 asks it for keys and signatures. */
export class CertificateAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #certificate: Certificate;
  readonly #key: ParsedKey;

  constructor(certificate: Certificate) {
    super();
    this.#certificate = certificate;
    this.#key = certifiedKey(certificate);
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(undefined, [this.#key]);
  }

  override sign(
    _key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const answer = typeof options === 'function' ? options : callback;
    answer?.(undefined, sign(null, data, this.#certificate.privateKey));
  }
}

/** ssh2 reads certificates but keeps only the plain key of them, so the whole is put back. */
function certifiedKey(certificate: Certificate): ParsedKey {
  const parsed: ParsedKey | Error = ssh2.utils.parseKey(plainKey(certificate));
  if (parsed instanceof Error) throw parsed;
  return Object.create(parsed, {
    type: { value: CERTIFICATE_TYPE },
    getPublicSSH: { value: () => certificate.blob },
  });
}

function isCertified({ type }: { readonly type: string }): boolean {
  return type === CERTIFICATE_TYPE;
}

type Sign = (data: Buffer, signed: (signature: Buffer) => void) => void;
type AuthPk = (username: string, key: ParsedKey, algorithm: string | undefined, sign?: Sign) => void;

/** What is reached of the inside of ssh2 1.17; a test logs in to a real sshd, so another version cannot pass unseen. */
interface Inside {
  authPK: AuthPk;
  readonly _kex: { readonly sessionID: Buffer };
  readonly _packetRW: {
    readonly write: {
      readonly alloc: (bytes: number) => Buffer;
      readonly allocStart: number;
      readonly finalize: (packet: Buffer) => Buffer;
    };
  };
  readonly _cipher: { readonly encrypt: (packet: Buffer) => void };
  readonly _authsQueue: string[];
}

/** SSH_MSG_USERAUTH_REQUEST (RFC 4252, 6). */
const USERAUTH_REQUEST = 50;

/**
 * Makes a client that has begun to connect send signatures with certificates as sshd wants them. ssh2 names the
 * signature after the algorithm of the request, which for a certificate is another one than the signature's.
 */
export function signWithCertificates(client: Client): void {
  const inside = (client as unknown as { readonly _protocol: Inside })._protocol;
  const plain = inside.authPK;
  inside.authPK = (username, key, algorithm, sign) => {
    if (sign === undefined || !isCertified(key)) return plain.call(inside, username, key, algorithm, sign);
    const request = certificateRequest(username, key.getPublicSSH());
    sign(Buffer.concat([lengthed(inside._kex.sessionID), request]), (raw) => {
      inside._authsQueue.push('publickey');
      send(inside, Buffer.concat([request, lengthed(certificateSignature(raw))]));
    });
  };
}

/** RFC 4252, 7: what is signed, after the session's id. */
function certificateRequest(username: string, blob: Buffer): Buffer {
  return Buffer.concat([
    Buffer.of(USERAUTH_REQUEST),
    lengthed(username),
    lengthed('ssh-connection'),
    lengthed('publickey'),
    Buffer.of(1),
    lengthed(CERTIFICATE_TYPE),
    lengthed(blob),
  ]);
}

function send({ _packetRW: { write }, _cipher }: Inside, payload: Buffer): void {
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  _cipher.encrypt(write.finalize(packet));
}
