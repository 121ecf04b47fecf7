import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from '../credentials.ts';
import type { Transport } from '../session.ts';
import type { HostTarget } from '../target.ts';
import { createTransport, type TransportSettings } from '../transport.ts';

/** A real sshd on loopback with its own host key and one user key, for tests. */
export interface TestSshd {
  readonly port: number;
  readonly pid: number;
  readonly folder: string;
  readonly credentials: Credentials;
  readonly target: (change?: Partial<HostTarget>) => HostTarget;
  /** Logs in with `credentials` if nothing else is said; closed by `disconnect` and by `stop`. */
  readonly transport: (settings?: Partial<TransportSettings>) => Transport;
  readonly disconnect: () => Promise<void>;
  /** What sshd logged so far. */
  readonly log: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** The public key of nobody here. */
export const OTHER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

const SSHD = '/usr/sbin/sshd';
const START_TIMEOUT_MS = 10_000;

/** Why the tests that need it cannot run here; undefined when they can. */
export function sshdMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync(SSHD) ? undefined : `needs ${SSHD} (Debian: openssh-server)`;
}

export async function startSshd(extra: readonly string[] = []): Promise<TestSshd> {
  const folder = await mkdtemp(join(tmpdir(), 'doaas-sshd-'));
  const file = (name: string) => join(folder, name);
  for (const name of ['host', 'user']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file(name)]);
  }
  const port = await freePort();
  // sshd wants this folder for privilege separation; on a machine where sshd never ran as a service it is not there.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host')}`,
    `AuthorizedKeysFile ${file('user.pub')}`,
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'PidFile none',
    'MaxStartups 100',
    'LogLevel VERBOSE',
    ...extra,
  ];
  await writeFile(file('config'), `${config.join('\n')}\n`);
  await chmod(folder, 0o755);
  // Ends with this process, however that ends.
  const ending = ['--pdeathsig', 'KILL', SSHD];
  const child = spawn('setpriv', [...ending, '-D', '-f', file('config'), '-E', file('log')], {
    stdio: 'ignore',
  });
  const log = async () => (existsSync(file('log')) ? await readFile(file('log'), 'utf8') : '');
  const opened: Transport[] = [];
  const disconnect = async (): Promise<void> => {
    await Promise.all(opened.map((transport) => transport.close()));
  };
  const stop = async (): Promise<void> => {
    await disconnect();
    await stopSshd(child, folder);
  };
  try {
    await listening(child, log);
  } catch (error) {
    await stop();
    throw error;
  }
  const hostKey = await readFile(file('host.pub'), 'utf8');
  const target = (change: Partial<HostTarget> = {}): HostTarget => ({
    name: 'box',
    address: '127.0.0.1',
    port,
    user: 'root',
    hostKeys: [hostKey.trim()],
    become: 'none',
    site: 'default',
    ...change,
  });
  const credentials: Credentials = { kind: 'credentials', keys: [{ kind: 'key-file', path: file('user') }] };
  const transport = (settings: Partial<TransportSettings> = {}): Transport => {
    const made = createTransport({ credentials, ...settings });
    opened.push(made);
    return made;
  };
  const pid = child.pid ?? 0;
  return { port, pid, folder, credentials, target, transport, disconnect, log, stop };
}

async function stopSshd(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    for (const pid of childrenOf(child.pid ?? 0)) tryKill(pid);
    child.kill('SIGKILL');
    await gone;
  }
  await rm(folder, { recursive: true, force: true });
}

/** Processes whose parent is `pid`; for the listener these are its connections. */
export function childrenOf(pid: number): number[] {
  const listed = existsSync(`/proc/${pid}`) ? execFileSync('ps', ['-e', '-o', 'pid=,ppid=']).toString() : '';
  const rows = listed.split('\n').map((row) => row.trim().split(/\s+/).map(Number));
  return rows.flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ended by itself in between
  }
}

async function listening(child: ChildProcess, log: () => Promise<string>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await log()).includes('Server listening')) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`sshd did not start: ${await log()}`);
    await sleep(20);
  }
}

/** A port that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
