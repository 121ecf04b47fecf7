import { readdir, readFile } from 'node:fs/promises';

const KIB = 1024;
const MB = 1_000_000;

export interface Memory {
  /** Resident now, MB (10^6 bytes). */
  readonly rss: number;
  /** The most that was resident so far, MB. */
  readonly peak: number;
}

/** Resident memory of a process as the kernel counts it (/proc/PID/status). */
export async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * KIB) / MB;
  return { rss: field('VmRSS'), peak: field('VmHWM') };
}

/** Processes that a process itself started and that have not ended (proc_pid_task_children(5)). */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter((text) => text !== '')).map(Number);
}

/** The Temporal dev server that a process started, through whatever shell: a descendant of that name. */
export async function temporalBelow(pid: number): Promise<number | undefined> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map<number, number>();
  for (const each of pids) {
    const parent = await statFields(each).then(
      (fields) => Number(fields[1]),
      () => undefined,
    );
    if (parent !== undefined) parents.set(each, parent);
  }
  const isBelow = (child: number | undefined): boolean =>
    child !== undefined && child > 1 && (child === pid || isBelow(parents.get(child)));
  for (const each of pids) {
    if (!isBelow(each)) continue;
    const command = await readFile(`/proc/${each}/comm`, 'utf8').catch(() => '');
    if (command.startsWith('temporal')) return each;
  }
  return undefined;
}

/** Fields of /proc/PID/stat from the third on; the second may hold spaces. */
async function statFields(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
