import type { Duplex } from 'node:stream';
import ssh2, {
  type Algorithms,
  type AuthHandlerMiddleware,
  type Client,
  type ServerHostKeyAlgorithm,
} from 'ssh2';
import type { Certificate } from './certificate.ts';
import { CertificateAgent, signWithCertificates } from './certificateLogin.ts';
import type { Login } from './credentials.ts';
import { HostError, messageOf } from './host-error.ts';
import { fingerprint, type HostKey, hostKeyAlgorithms, hostKeyMismatch, pinnedKeys } from './host-key.ts';
import { loginRefused, type Offer } from './loginRefused.ts';
import { describeTarget, type HostTarget } from './target.ts';

/** From TCP connected to logged in. Generous: a loaded host with PAM can need seconds. */
export const HANDSHAKE_TIMEOUT_MS = 20_000;
/** A dead connection is noticed after KEEPALIVE_INTERVAL_MS x (KEEPALIVE_COUNT + 1). */
export const KEEPALIVE_INTERVAL_MS = 10_000;
export const KEEPALIVE_COUNT = 2;

export const HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/**
 * Cheapest for both ends first: with Node 20, 10 logins took 69 ms of CPU with nistp256, 78 ms with curve25519, and
 * chacha20 cost 10 % more than AES-GCM. Nothing with SHA-1, CBC or compression. All are in OpenSSH's defaults
 * since 7.4.
 */
export const ALGORITHMS: Algorithms = {
  kex: [
    'ecdh-sha2-nistp256',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes256-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
};

/** Left out: the constants above. */
export interface ConnectLimits {
  readonly handshakeTimeoutMs?: number;
  readonly keepaliveIntervalMs?: number;
}

export interface Connected {
  readonly client: Client;
  /** `address:port fingerprint` */
  readonly identity: string;
}

/** Speaks SSH over an open stream: checks the host key, logs in. The stream is destroyed when it fails. */
export function connectClient(
  target: HostTarget,
  stream: Duplex,
  login: Login,
  limits: ConnectLimits = {},
): Promise<Connected> {
  const pinned = pinnedKeys(target);
  const certificate = login.issuer?.issue(target);
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    let shown: Buffer | undefined;
    let settled = false;
    const fail = (error: HostError) => {
      if (settled) return;
      settled = true;
      client.destroy();
      stream.destroy();
      reject(error);
    };
    client.on('error', (error) =>
      fail(connectError(target, error, { login, certificate }, shown !== undefined)),
    );
    client.on('close', () => fail(closedEarly(target, 'in the middle of the SSH handshake')));
    client.once('ready', () => {
      settled = true;
      const { address, port } = target;
      const print = shown === undefined ? '' : fingerprint(shown);
      resolve({ client, identity: `${address}:${port} ${print}` });
    });
    client.connect({
      sock: stream,
      username: target.user,
      authHandler: authentication(target.user, login, certificate),
      hostVerifier: (key: Buffer) => {
        shown = key;
        const known = isPinned(pinned, key);
        if (!known) fail(hostKeyMismatch(target, pinned, key));
        return known;
      },
      algorithms: { ...ALGORITHMS, serverHostKey: hostKeyAlgorithms(pinned, HOST_KEY_ALGORITHMS) },
      readyTimeout: limits.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
      keepaliveInterval: limits.keepaliveIntervalMs ?? KEEPALIVE_INTERVAL_MS,
      keepaliveCountMax: KEEPALIVE_COUNT,
    });
    if (certificate !== undefined) signWithCertificates(client);
  });
}

function isPinned(pinned: readonly HostKey[], key: Buffer): boolean {
  return pinned.some((candidate) => candidate.blob.equals(key));
}

/** The certificate, keys in order, then the agent; the useless first `none` request is left out and saves a round trip. */
function authentication(
  username: string,
  login: Login,
  certificate: Certificate | undefined,
): AuthHandlerMiddleware {
  const { agentSocket } = login;
  const certified = certificate === undefined ? [] : [new CertificateAgent(certificate)];
  const methods = [
    ...certified.map((agent) => ({ type: 'agent' as const, username, agent })),
    ...login.keys.map((key) => ({ type: 'publickey' as const, username, key })),
    ...(agentSocket === undefined ? [] : [{ type: 'agent' as const, username, agent: agentSocket }]),
  ];
  let tried = 0;
  return (_left, _partial, next) => {
    const method = methods[tried++];
    // ssh2 takes `false` for "no more"; its types leave that out.
    next(method ?? (false as unknown as 'none'));
  };
}

function connectError(target: HostTarget, error: Error, offer: Offer, sawKey: boolean): HostError {
  const level = 'level' in error ? error.level : undefined;
  if (level === 'client-authentication' || level === 'agent') return loginRefused(target, offer, error);
  if (level === 'client-timeout') {
    const text = `${describeTarget(target)} accepted the connection but did not finish the login in time. Check its load and its sshd.`;
    return new HostError('timed-out', target.name, text, { cause: error });
  }
  // sshd answers too many failed keys with a disconnect, whose code is a number (RFC 4253, 11.1).
  const disconnected = 'code' in error && typeof error.code === 'number';
  if (sawKey && disconnected) return loginRefused(target, offer, error);
  return closedEarly(target, messageOf(error), error);
}

function closedEarly(target: HostTarget, problem: string, cause?: Error): HostError {
  const text = `${describeTarget(target)} ended the connection before the login: ${problem}. Check that sshd listens on that port and does not limit new connections (MaxStartups).`;
  return new HostError('unreachable', target.name, text, { cause });
}
