import { readFile } from 'node:fs/promises';
import { waitFor } from './wait.ts';

/** Time for a killed process to be gone, ms. */
const GONE_DEADLINE_MS = 20_000;

/** Start time in clock ticks since boot (proc(5), stat field 22), or undefined if there is no such live process. */
export async function processStart(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name may hold spaces and parentheses; fields are counted after its last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

/** A pid alone may have been given to another process since. */
export async function isSameProcess(pid: number, start: string): Promise<boolean> {
  return (await processStart(pid)) === start;
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already: what was wanted.
  }
}

/** Sends the signal and waits until the process is gone. */
export async function killProcess(pid: number, name: NodeJS.Signals): Promise<void> {
  const start = await processStart(pid);
  if (start === undefined) return;
  signal(pid, name);
  await waitFor(`process ${pid} to end`, GONE_DEADLINE_MS, async () => !(await isSameProcess(pid, start)));
}

/** Direct children of a process. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}
