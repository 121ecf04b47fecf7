import { randomBytes } from 'node:crypto';
import { chmod, chown, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, killGuest, leaderOf, startGuest, stopGuest, waitForBoot, waitForSsh } from './guest.ts';
import { configureNamespace, setLink } from './network.ts';
import { mountOverlay, overlayPaths } from './overlay.ts';
import { type HostRecord, hostDir, writeHost } from './records.ts';
import { type RunResult, run, tryRun } from './run.ts';
import { kernelName, type LabSettings, labDir, SSH_PORT, SUBNET } from './settings.ts';

/** One lab host: a real Debian with systemd and sshd. All methods act from outside, never through ssh. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Public host keys as in known_hosts: `ssh-ed25519 AAAA...` first. */
  readonly hostKeys: readonly string[];
  /** `deploy` may log in with the same key and has sudo without a password. */
  readonly user: 'root';
  readonly privateKeyPath: string;
  /** The host's `/` as seen from this machine; also there while the host is stopped. */
  readonly rootDir: string;
  /** Only what the host changed, as an overlayfs upper folder. */
  readonly upperDir: string;
  /** The read-only image below. */
  readonly baseDir: string;
  /** Name of its network namespace, link and control groups. */
  readonly kernelName: string;
  /** Runs a script with sh as root inside the host, by entering its namespaces. */
  readonly exec: (script: string) => Promise<RunResult>;
  /** Pid, on this machine, of the host's pid 1. */
  readonly leader: () => Promise<number>;
  readonly running: () => Promise<boolean>;
  /** Boots on the disk as it is; returns when sshd answers. */
  readonly start: () => Promise<void>;
  /** Orderly shutdown. The disk stays. */
  readonly stop: () => Promise<void>;
  /** Power loss. The disk stays. */
  readonly kill: () => Promise<void>;
  /** Pulls the network cable. */
  readonly cut: () => Promise<void>;
  readonly heal: () => Promise<void>;
}

export function labHost(settings: LabSettings, initial: HostRecord): LabHost {
  let record = initial;
  const dir = hostDir(settings, record.lab, record.name);
  const overlay = overlayPaths(dir);
  const name = kernelName(record.index);
  const address = `${SUBNET}.${record.index}`;
  const save = async (guest: HostRecord['guest']): Promise<void> => {
    const { guest: _old, ...rest } = record;
    record = guest ? { ...rest, guest } : rest;
    await writeHost(settings, record);
  };
  const halt = async (how: 'stop' | 'kill'): Promise<void> => {
    if (how === 'stop' && record.guest) await stopGuest(name, record.guest);
    else await killGuest(name, record.guest);
    await save(undefined);
  };
  return {
    name: record.name,
    address,
    port: SSH_PORT,
    hostKeys: record.hostKeys,
    user: 'root',
    privateKeyPath: clientKeyPath(settings, record.lab),
    rootDir: overlay.merged,
    upperDir: overlay.upper,
    baseDir: record.baseDir,
    kernelName: name,
    exec: async (script) => enter(await leaderOf(name), script),
    leader: () => leaderOf(name),
    running: () => isRunning(record.guest),
    start: async () => {
      if (await isRunning(record.guest)) throw new Error(`host ${record.name} is running already`);
      const consoleLog = join(dir, 'console.log');
      const memory = record.memoryMiB === undefined ? {} : { memoryMiB: record.memoryMiB };
      const guest = await startGuest({ name, root: overlay.merged, consoleLog, ...memory });
      await save(guest);
      await waitForSsh(guest, address, SSH_PORT, consoleLog);
      await waitForBoot(name);
    },
    stop: () => halt('stop'),
    kill: () => halt('kill'),
    cut: () => setLink(record.index, 'down'),
    heal: () => setLink(record.index, 'up'),
  };
}

/** Gives a host its disk, identity and address; it does not run yet. */
export async function prepareHost(settings: LabSettings, record: HostRecord): Promise<HostRecord> {
  const dir = hostDir(settings, record.lab, record.name);
  await configureNamespace(record.index);
  const { merged } = await mountOverlay(dir, record.baseDir, record.diskMiB);
  await writeIdentity(merged, record);
  await authorize(merged, `${clientKeyPath(settings, record.lab)}.pub`);
  const prepared = { ...record, hostKeys: await makeHostKeys(merged) };
  await writeHost(settings, prepared);
  return prepared;
}

export function clientKeyPath(settings: LabSettings, lab: string): string {
  return join(labDir(settings, lab), 'id_ed25519');
}

async function writeIdentity(root: string, record: HostRecord): Promise<void> {
  const etc = join(root, 'etc');
  await writeFile(join(etc, 'hostname'), `${record.name}\n`);
  await writeFile(join(etc, 'machine-id'), `${randomBytes(16).toString('hex')}\n`);
  await writeFile(join(etc, 'hosts'), `127.0.0.1 localhost\n${SUBNET}.${record.index} ${record.name}\n`);
}

async function authorize(root: string, publicKey: string): Promise<void> {
  const deploy = /^deploy:x:(\d+):(\d+):/m.exec(await readFile(join(root, 'etc/passwd'), 'utf8'));
  const owners = { root: [0, 0], 'home/deploy': [Number(deploy?.[1]), Number(deploy?.[2])] } as const;
  for (const [home, [uid, gid]] of Object.entries(owners)) {
    const file = join(root, home, '.ssh', 'authorized_keys');
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
    await copyFile(publicKey, file);
    await chmod(file, 0o600);
    await chown(file, uid, gid);
  }
}

/** No RSA key: making one takes longer than booting. */
async function makeHostKeys(root: string): Promise<string[]> {
  const types = ['ed25519', 'ecdsa'];
  return Promise.all(
    types.map(async (type) => {
      const file = join(root, 'etc/ssh', `ssh_host_${type}_key`);
      await run(['ssh-keygen', '-q', '-t', type, '-N', '', '-C', '', '-f', file]);
      const [algorithm, key] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
      return `${algorithm} ${key?.trim()}`;
    }),
  );
}

function enter(leader: number, script: string): Promise<RunResult> {
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: '/root',
  };
  return tryRun(['nsenter', '-t', String(leader), '-a', '--root', '--wd', 'sh', '-c', script], { env });
}
