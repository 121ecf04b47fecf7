/** Real Debian hosts on this machine, for the demo, the benchmarks and the end-to-end tests. See docs in README.md. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { ensureAptCache } from './apt-cache.ts';
import { type BaseName, ensureBase } from './base-image.ts';
import { type Watch, watchOwner } from './cleanup.ts';
import { clientKeyPath, type LabHost, labHost, prepareHost } from './host.ts';
import { withLock } from './lock.ts';
import { addNamespaces, ensureBridge, usedIndexes } from './network.ts';
import { type HostRecord, readHosts, readLab, thisProcess, writeHost, writeLab } from './records.ts';
import { run } from './run.ts';
import {
  FIRST_HOST,
  LAST_HOST,
  type LabSettings,
  labDir,
  labSettings,
  PARALLEL_BOOTS,
  type Progress,
} from './settings.ts';
import { removeLab, removeStaleLabs } from './teardown.ts';
import { inParallel } from './wait.ts';

export type { LabHost } from './host.ts';

export interface Lab {
  readonly name: string;
  /** Boots hosts of these names (or N of them, `host-1`, `host-2`, ...) in parallel; returns when sshd answers on all. */
  readonly up: (names: readonly string[] | number, options?: UpOptions) => Promise<LabHost[]>;
  /** All hosts of the lab, running or not. */
  readonly hosts: () => Promise<LabHost[]>;
  /** Removes hosts, folders, namespaces and control groups; what the last lab leaves, too. */
  readonly down: () => Promise<void>;
}

export interface UpOptions {
  readonly memoryMiB?: number;
  /** Size of what the host may write, for tests with a full disk. */
  readonly diskMiB?: number;
  readonly base?: BaseName;
}

export interface LabOptions {
  /** Default: one that no other process uses. */
  readonly name?: string;
  /** Stays after this process; opening it again gives the same lab. Default: the lab ends with this process. */
  readonly persistent?: boolean;
  readonly progress?: Progress;
  readonly settings?: LabSettings;
}

/** Needs root and the packages of lab/prerequisites.ts. Throws where another process owns a lab of that name. */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const settings = options.settings ?? labSettings();
  const progress = options.progress ?? (() => {});
  const name = options.name ?? `lab-${process.pid}-${randomBytes(3).toString('hex')}`;
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(name))
    throw new Error(`a lab's name is lower-case letters, digits and -: ${name}`);
  if (process.getuid?.() !== 0) throw new Error('lab hosts need root: run this with sudo');
  for (const stale of await removeStaleLabs(settings))
    progress(`removed lab ${stale}: its process had ended`);
  await claim(settings, name, options.persistent ?? false);
  const watch = options.persistent ? undefined : watchOwner(name, settings);
  return {
    name,
    up: async (names, up = {}) => bringUp(settings, name, hostNames(names), up, progress),
    hosts: async () => (await readHosts(settings, name)).map((record) => labHost(settings, record)),
    down: () => takeDown(settings, name, watch),
  };
}

/** The lab's folder exists from here on, so nobody else removes the bridge. */
async function claim(settings: LabSettings, name: string, persistent: boolean): Promise<void> {
  await withLock('network', async () => {
    const existing = await readLab(settings, name);
    if (existing && persistent && !existing.owner) return;
    if (existing)
      throw new Error(
        `a lab named ${name} exists already${existing.owner ? ` (process ${existing.owner.pid})` : ''}`,
      );
    // First of all: by its record a lab is found and removed, should this process end in the next moment.
    await writeLab(settings, persistent ? { name } : { name, owner: await thisProcess() });
    try {
      await makeClientKey(clientKeyPath(settings, name));
    } catch (error) {
      // ssh-keygen gets the Ctrl-C of this terminal, too
      await rm(labDir(settings, name), { recursive: true, force: true });
      throw error;
    }
  });
}

async function makeClientKey(path: string): Promise<void> {
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'doaas-lab', '-f', path]);
}

async function bringUp(
  settings: LabSettings,
  lab: string,
  names: readonly string[],
  options: UpOptions,
  progress: Progress,
): Promise<LabHost[]> {
  await withLock('network', async () => {
    await ensureBridge();
    await ensureAptCache(settings);
  });
  const baseDir = await ensureBase(settings, options.base ?? 'bare', progress);
  const drafts = await reserve(settings, lab, names, options, baseDir);
  let ready = 0;
  return inParallel(drafts, PARALLEL_BOOTS, async (draft) => {
    const host = labHost(settings, await prepareHost(settings, draft));
    await host.start();
    ready += 1;
    progress(`host ${host.name} is up at ${host.address} (${ready} of ${names.length})`);
    return host;
  });
}

/** Addresses are handed out under the network lock: a namespace that exists is an address that is taken. */
async function reserve(
  settings: LabSettings,
  lab: string,
  names: readonly string[],
  options: UpOptions,
  baseDir: string,
): Promise<HostRecord[]> {
  return withLock('network', async () => {
    // While the base was made, the last lab of another state folder may have taken the bridge away with it.
    await ensureBridge();
    const before = await readHosts(settings, lab);
    const taken = new Set(before.map((host) => host.name));
    const first = (before.at(-1)?.order ?? -1) + 1;
    const twice = names.find((name, i) => taken.has(name) || names.indexOf(name) !== i);
    if (twice !== undefined) throw new Error(`lab ${lab} has a host ${twice} already`);
    const indexes = freeIndexes(await usedIndexes(), names.length);
    const { base = 'bare', ...limits } = options;
    const records = names.map((name, i) => ({
      lab,
      name,
      order: first + i,
      index: indexes[i] ?? 0,
      base,
      baseDir,
      hostKeys: [],
      ...limits,
    }));
    for (const record of records) await writeHost(settings, record);
    await addNamespaces(indexes);
    return records;
  });
}

export function freeIndexes(used: ReadonlySet<number>, count: number): number[] {
  const all = Array.from({ length: LAST_HOST - FIRST_HOST + 1 }, (_, i) => FIRST_HOST + i);
  const free = all.filter((index) => !used.has(index)).slice(0, count);
  if (free.length < count)
    throw new Error(`only ${free.length} of ${count} lab addresses are free; \`doaas lab down\` frees more`);
  return free;
}

async function takeDown(settings: LabSettings, name: string, watch: Watch | undefined): Promise<void> {
  await removeLab(settings, name);
  await watch?.release();
}

/** Host names are also names of folders and of the host itself. */
function hostNames(names: readonly string[] | number): string[] {
  const list =
    typeof names === 'number' ? Array.from({ length: names }, (_, i) => `host-${i + 1}`) : [...names];
  const bad = list.find((name) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name));
  if (bad !== undefined) throw new Error(`not a host name: ${JSON.stringify(bad)}`);
  return list;
}
