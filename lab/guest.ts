import { spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { createGroups, groupProcesses, killGroups, removeGroups } from './cgroups.ts';
import { childrenOf, isSameProcess, killProcess, processStart, signal } from './processes.ts';
import { tryRun } from './run.ts';
import { waitFor } from './wait.ts';

/** The running part of a host: systemd-nspawn and everything below it. */
export interface Guest {
  /** Keeper: a shell that starts nspawn again when the guest reboots. */
  readonly pid: number;
  readonly start: string;
}

export interface GuestOptions {
  readonly name: string;
  readonly root: string;
  readonly consoleLog: string;
  readonly memoryMiB?: number;
}

/** Time for a guest to boot until sshd greets, ms. 1-2 s alone; more when a hundred boot on two processors. */
const BOOT_DEADLINE_MS = 120_000;
/** Time for an orderly shutdown before it is cut off, ms. Above systemd's own 90 s limit for one unit. */
const STOP_DEADLINE_MS = 100_000;

/** Time for nspawn and the keeper to end by themselves once the guest was killed, ms. */
const KILL_DEADLINE_MS = 5_000;

/** nspawn ends with 133 when the guest asked for a reboot (systemd-nspawn, --keep-unit). */
const KEEPER = 'while :; do sh -c "$0" guest "$@"; [ $? -eq 133 ] || exit; done';
/** Enters the host's control groups, then becomes nspawn: its children are born in them. */
const ENTER =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; n=$((n-1)); done; exec "$@"';

/** Boots and returns at once; see `waitForSsh`. The guest outlives this process. */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const groups = await createGroups(options.name, options.memoryMiB);
  const log = await open(options.consoleLog, 'w');
  const child = spawn('sh', ['-c', KEEPER, ENTER, String(groups.length), ...groups, ...nspawn(options)], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    // Without it the guest's net.* settings are read-only.
    env: { PATH: process.env.PATH, SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network' },
  });
  child.on('error', () => {});
  child.unref();
  await log.close();
  const start = child.pid === undefined ? undefined : await processStart(child.pid);
  if (child.pid === undefined || start === undefined)
    throw new Error(`host ${options.name} could not be started`);
  return { pid: child.pid, start };
}

/** Orderly: systemd in the guest stops its units. Cut off when it does not end in time. */
export async function stopGuest(name: string, guest: Guest): Promise<void> {
  const [nspawnPid] = (await isSameProcess(guest.pid, guest.start)) ? await childrenOf(guest.pid) : [];
  if (nspawnPid !== undefined) {
    signal(nspawnPid, 'SIGTERM');
    const ended = async (): Promise<boolean> => !(await isSameProcess(guest.pid, guest.start));
    await waitFor(`${name} to shut down`, STOP_DEADLINE_MS, ended).catch(() => {});
  }
  await killGuest(name, guest);
}

/**
 * Power loss: every process ends at once. SIGKILL to nspawn alone would leave the guest's processes running; SIGKILL to
 * the guest's pid 1 makes the kernel end them all, and nspawn and the keeper then end and are reaped in turn.
 */
export async function killGuest(name: string, guest: Guest | undefined): Promise<void> {
  const leader = await leaderOf(name).catch(() => undefined);
  if (leader !== undefined) signal(leader, 'SIGKILL');
  if (guest && leader !== undefined) {
    const ended = async (): Promise<boolean> => !(await isRunning(guest));
    await waitFor(`${name} to end`, KILL_DEADLINE_MS, ended).catch(() => {});
  }
  if (guest && (await isRunning(guest))) await killProcess(guest.pid, 'SIGKILL');
  await killGroups(name);
  await removeGroups(name);
  await rm(`/run/systemd/nspawn/propagate/${name}`, { recursive: true, force: true });
}

export async function isRunning(guest: Guest | undefined): Promise<boolean> {
  return guest !== undefined && (await isSameProcess(guest.pid, guest.start));
}

/** Pid, on this machine, of the guest's own pid 1. */
export async function leaderOf(name: string): Promise<number> {
  for (const pid of await groupProcesses(name)) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^NSpid:\t\d+\t1$/m.test(status)) return pid;
  }
  throw new Error(`${name} is not running`);
}

/**
 * Waits until systemd has started everything. sshd answers earlier, but pam_nologin then still turns away everyone
 * except root. A failed unit ("degraded") is not this function's business.
 */
export async function waitForBoot(name: string): Promise<void> {
  const leader = String(await leaderOf(name));
  const wait = ['systemctl', 'is-system-running', '--wait'];
  const state = await tryRun(['nsenter', '-t', leader, '-a', '--root', '--wd', ...wait], {
    timeoutMs: BOOT_DEADLINE_MS,
  });
  if (!/^(running|degraded)$/.test(state.stdout.trim())) {
    throw new Error(`systemd of ${name} is ${state.stdout.trim() || state.stderr.trim()} instead of running`);
  }
}

/** Waits until sshd sends its greeting. Says what the console showed when it does not. */
export async function waitForSsh(
  guest: Guest,
  address: string,
  port: number,
  consoleLog: string,
): Promise<void> {
  try {
    await waitFor(`sshd on ${address}`, BOOT_DEADLINE_MS, async () => {
      if (!(await isRunning(guest))) throw new Error(`the host at ${address} ended while booting`);
      return greets(address, port);
    });
  } catch (error) {
    const tail = (await readFile(consoleLog, 'utf8').catch(() => '')).split('\n').slice(-12).join('\n');
    throw new Error(`${error instanceof Error ? error.message : error}; its console:\n${tail}`);
  }
}

function nspawn(options: GuestOptions): string[] {
  return [
    ...['systemd-nspawn', '-q', '-b', '-D', options.root, `--machine=${options.name}`],
    ...['--register=no', '--keep-unit', '--resolv-conf=off', '--timezone=off', '--link-journal=no'],
    '--capability=CAP_NET_ADMIN,CAP_NET_RAW',
    `--network-namespace-path=/run/netns/${options.name}`,
  ];
}

function greets(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 2000 });
    const end = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('data', (data) => end(data.toString().startsWith('SSH-2.0')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
