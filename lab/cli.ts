/** `doaas lab ...`: hosts that stay until `doaas lab down`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabHost, labHost } from './host.ts';
import { openLab } from './hosts.ts';
import { labObstacle } from './prerequisites.ts';
import { readHosts, readLab } from './records.ts';
import { FIRST_HOST, LAST_HOST, labSettings, type Progress } from './settings.ts';
import { removeLab, removeStaleLabs } from './teardown.ts';

/** The lab that the command line works on; tests have their own. */
export const DEFAULT_LAB = 'default';
/** What `npm run demo -- --keep` leaves running; its hosts can be logged in to. */
export const DEMO_LAB = 'demo';

export interface LabIo {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

export interface HostStatus {
  readonly host: LabHost;
  readonly running: boolean;
}

const EXIT_USAGE = 2;

/** Runs one command and returns its exit code. */
export async function runLabCommand(argv: readonly string[], io: LabIo): Promise<number> {
  const [command, ...args] = argv;
  try {
    const mistake = misuseOf(command, args);
    if (mistake !== undefined) {
      io.err(`doaas lab: ${mistake} See: doaas lab --help`);
      return EXIT_USAGE;
    }
    if (command === 'up') return await up(args, io);
    if (command === 'down') return await down(io);
    if (command === 'status') return await status(io);
    return await labSsh(args[0] ?? '', args.slice(1));
  } catch (error) {
    io.err(`doaas lab ${command}: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

const ALONE = ['down', 'status'];
const HOSTS_MAX = LAST_HOST - FIRST_HOST + 1;

/** What is wrong with a command line, as a sentence; undefined when nothing is. */
export function misuseOf(command: string | undefined, args: readonly string[]): string | undefined {
  const [first] = args;
  if (command === undefined || ![...ALONE, 'up', 'ssh'].includes(command))
    return `${JSON.stringify(command ?? '')} is none of up, status, ssh and down.`;
  if (ALONE.includes(command))
    return first === undefined ? undefined : `${command} takes no argument, not ${JSON.stringify(first)}.`;
  if (first === undefined) return command === 'up' ? 'Say how many, or their names.' : 'Say which server.';
  const option = (command === 'up' ? args : [first]).find((arg) => arg.startsWith('-'));
  if (option !== undefined) return `There is no option ${JSON.stringify(option)}.`;
  const count = command === 'up' ? countOf(args) : undefined;
  if (count === undefined || (count > 0 && count <= HOSTS_MAX)) return undefined;
  return `A number of servers is from 1 to ${HOSTS_MAX}, not ${count}.`;
}

function countOf(args: readonly string[]): number | undefined {
  return args.length === 1 && /^\d+$/.test(args[0] ?? '') ? Number(args[0]) : undefined;
}

/** Adds hosts to the persistent lab; a number adds that many with names `host-1`, `host-2`, ... that are free. */
export async function labUp(wanted: number | readonly string[], progress: Progress): Promise<LabHost[]> {
  const obstacle = await labObstacle();
  if (obstacle) throw new Error(`${obstacle}.`);
  const lab = await openLab({ name: DEFAULT_LAB, persistent: true, progress });
  const taken = new Set((await lab.hosts()).map((host) => host.name));
  return lab.up(typeof wanted === 'number' ? newNames(taken, wanted) : wanted);
}

/** Removes the persistent lab and those whose process has died; running tests keep theirs. Returns their names. */
export async function labDown(): Promise<string[]> {
  const settings = labSettings();
  const stale = await removeStaleLabs(settings);
  if (!(await readLab(settings, DEFAULT_LAB))) return stale;
  await removeLab(settings, DEFAULT_LAB);
  return [...stale, DEFAULT_LAB];
}

/** Hosts of the persistent lab, or of the demo's. */
export async function labStatus(lab = DEFAULT_LAB): Promise<HostStatus[]> {
  const settings = labSettings();
  const hosts = (await readHosts(settings, lab)).map((record) => labHost(settings, record));
  return Promise.all(hosts.map(async (host) => ({ host, running: await host.running() })));
}

/** Opens a shell as root on a host, or runs a command there. Returns the exit code of the ssh client. */
export async function labSsh(name: string, args: readonly string[]): Promise<number> {
  const all = [...(await labStatus()), ...(await labStatus(DEMO_LAB))];
  const found = all.find(({ host }) => host.name === name);
  if (!found) throw new Error(`no host ${name}; \`doaas lab status\` lists them`);
  const { host } = found;
  const dir = await mkdtemp(join(tmpdir(), 'doaas-lab-ssh-'));
  try {
    const known = join(dir, 'known_hosts');
    await writeFile(known, host.hostKeys.map((key) => `${host.address} ${key}\n`).join(''));
    const options = [
      `UserKnownHostsFile=${known}`,
      'StrictHostKeyChecking=yes',
      'IdentitiesOnly=yes',
      'LogLevel=ERROR',
    ];
    const flags = options.flatMap((option) => ['-o', option]);
    const argv = [
      '-F',
      'none',
      '-i',
      host.privateKeyPath,
      ...flags,
      `${host.user}@${host.address}`,
      '--',
      ...args,
    ];
    const child = spawn('ssh', argv, { stdio: 'inherit' });
    const [code] = await once(child, 'close');
    return typeof code === 'number' ? code : 1;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export function newNames(taken: ReadonlySet<string>, count: number): string[] {
  const names = Array.from({ length: taken.size + count }, (_, i) => `host-${i + 1}`);
  return names.filter((name) => !taken.has(name)).slice(0, count);
}

async function up(args: readonly string[], io: LabIo): Promise<number> {
  const hosts = await labUp(countOf(args) ?? args, io.err);
  for (const host of hosts) io.out(`${host.name}\t${host.address}\t${host.hostKeys[0]}`);
  return 0;
}

async function down(io: LabIo): Promise<number> {
  const removed = await labDown();
  io.out(removed.length > 0 ? `removed ${removed.join(', ')}` : 'there was nothing to remove');
  return 0;
}

async function status(io: LabIo): Promise<number> {
  const all = await labStatus();
  if (all.length === 0) io.out('no hosts; `doaas lab up 3` boots three');
  for (const { host, running } of all) {
    io.out(
      `${host.name}\t${host.address}\t${running ? 'running' : 'stopped'}\t${host.hostKeys[0]}\t${host.privateKeyPath}`,
    );
  }
  return 0;
}
