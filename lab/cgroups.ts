import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processStart, signal } from './processes.ts';
import { waitFor } from './wait.ts';

/** A mounted control group hierarchy. Machines have many of version 1, one of version 2, or both (hybrid). */
export interface Hierarchy {
  readonly path: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/** Time for killed processes to leave their control group, ms. */
const EMPTY_DEADLINE_MS = 20_000;
const CONTROLLERS = ['memory', 'pids', 'cpu', 'io'];

/**
 * From the text of /proc/self/mountinfo (proc(5)). A version 1 cpuset is left out: a new group in it has no
 * processors and refuses processes, and nothing here needs it.
 */
export function parseHierarchies(mountinfo: string): Hierarchy[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const path = left.split(' ')[4] ?? '';
    const [type, , options = ''] = right.split(' ');
    if ((type !== 'cgroup' && type !== 'cgroup2') || !path.startsWith('/sys/fs/cgroup')) return [];
    const controllers = options.split(',');
    if (controllers.includes('cpuset')) return [];
    return [{ path, version: type === 'cgroup2' ? 2 : 1, controllers } as const];
  });
}

/** One group per hierarchy for a host of that name; returns their folders. */
export async function createGroups(name: string, memoryMiB?: number): Promise<string[]> {
  const all = await hierarchies();
  for (const hierarchy of all) {
    const dir = join(hierarchy.path, name);
    await mkdir(dir, { recursive: true });
    if (hierarchy.version === 2) await delegate(hierarchy.path);
    if (memoryMiB !== undefined) await limitMemory(hierarchy, dir, memoryMiB);
  }
  return all.map((hierarchy) => join(hierarchy.path, name));
}

/** Every live process of the host, whatever its parent is by now. Zombies wait for the machine's init, which may take its time. */
export async function groupProcesses(name: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const dir of await groupDirs(name)) {
    const text = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
    for (const pid of text.split('\n').filter(Boolean)) pids.add(Number(pid));
  }
  const live = [...pids].map(async (pid) => ((await processStart(pid)) === undefined ? [] : [pid]));
  return (await Promise.all(live)).flat();
}

/** SIGKILL to all of them until none is left. */
export async function killGroups(name: string): Promise<void> {
  await waitFor(`the processes of ${name} to end`, EMPTY_DEADLINE_MS, async () => {
    const pids = await groupProcesses(name);
    for (const pid of pids) signal(pid, 'SIGKILL');
    return pids.length === 0;
  });
}

/** Removes the (empty) groups. */
export async function removeGroups(name: string): Promise<void> {
  await waitFor(`the control groups of ${name} to be removable`, EMPTY_DEADLINE_MS, async () => {
    const dirs = await groupDirs(name);
    for (const dir of dirs.reverse()) await rmdir(dir).catch(() => {});
    return (await groupDirs(name)).length === 0;
  });
}

async function hierarchies(): Promise<Hierarchy[]> {
  return parseHierarchies(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Parents come before their children. */
async function groupDirs(name: string): Promise<string[]> {
  const roots = (await hierarchies()).map((hierarchy) => join(hierarchy.path, name));
  return (await Promise.all(roots.map(withChildren))).flat();
}

async function withChildren(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [];
  const below = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => withChildren(join(dir, entry.name)));
  return [dir, ...(await Promise.all(below)).flat()];
}

/** Controllers must be handed down before a limit can be set; a missing controller is no error. */
async function delegate(root: string): Promise<void> {
  for (const controller of CONTROLLERS) {
    await writeFile(join(root, 'cgroup.subtree_control'), `+${controller}`).catch(() => {});
  }
}

async function limitMemory(hierarchy: Hierarchy, dir: string, memoryMiB: number): Promise<void> {
  const bytes = String(memoryMiB * 1024 * 1024);
  if (hierarchy.version === 2) await writeFile(join(dir, 'memory.max'), bytes).catch(() => {});
  else if (hierarchy.controllers.includes('memory'))
    await writeFile(join(dir, 'memory.limit_in_bytes'), bytes);
}
