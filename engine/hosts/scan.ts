import type { Duplex } from 'node:stream';
import ssh2, { type ServerHostKeyAlgorithm } from 'ssh2';
import { ALGORITHMS, HANDSHAKE_TIMEOUT_MS } from './connect.ts';
import { HostError } from './host-error.ts';
import { fingerprint, formatHostKey, keyType } from './host-key.ts';
import { CONNECT_TIMEOUT_MS, openSocket } from './socket.ts';
import type { HostTarget } from './target.ts';

export interface ScannedKey {
  readonly type: string;
  /** `ssh-ed25519 AAAA...`, as a `Server` document pins it. */
  readonly line: string;
  /** `SHA256:...`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

export interface Scan {
  readonly kind: 'scan';
  /** Best first: ed25519, ecdsa, rsa. Never empty. */
  readonly hostKeys: readonly ScannedKey[];
}

/** A new TCP connection to the server. */
type Open = () => Promise<Duplex>;

/** One connection each, as `ssh-keyscan` does: a server shows one key a handshake. */
const FAMILIES: readonly (readonly ServerHostKeyAlgorithm[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
];

/** The host keys a server shows. They are only claims until somebody compares them out of band. `open`: from here, when left out. */
export async function scanHost(
  address: string,
  port: number,
  open: Open = () => openSocket(scanTarget(address, port), CONNECT_TIMEOUT_MS),
): Promise<Scan> {
  const target = scanTarget(address, port);
  const found = await Promise.all(FAMILIES.map((family) => scanFamily(target, open, family)));
  const hostKeys = found.filter((key) => key !== undefined);
  if (hostKeys.length > 0) return { kind: 'scan', hostKeys };
  const text = `${address}:${port} accepts connections but shows no SSH host key (ed25519, ecdsa or rsa). Check that sshd listens there.`;
  throw new HostError('unreachable', target.name, text);
}

function scanTarget(address: string, port: number): HostTarget {
  return { name: address, address, port, user: 'scan', hostKeys: [], become: 'none', site: 'default' };
}

/** Stops right after the key exchange: the verifier says no, so nothing is sent. Undefined: no key of that family. */
async function scanFamily(
  target: HostTarget,
  open: Open,
  family: readonly ServerHostKeyAlgorithm[],
): Promise<ScannedKey | undefined> {
  const socket = await open();
  const client = new ssh2.Client();
  const blob = await new Promise<Buffer | undefined>((resolve) => {
    client.on('error', () => resolve(undefined));
    client.on('close', () => resolve(undefined));
    client.connect({
      sock: socket,
      username: target.user,
      authHandler: [],
      algorithms: { ...ALGORITHMS, serverHostKey: [...family] },
      readyTimeout: HANDSHAKE_TIMEOUT_MS,
      hostVerifier: (key: Buffer) => {
        resolve(key);
        return false;
      },
    });
  });
  socket.destroy();
  if (blob === undefined) return undefined;
  return { type: keyType(blob), line: formatHostKey(blob), fingerprint: fingerprint(blob) };
}
