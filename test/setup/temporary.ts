import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'doaas-tests-';
/** As of /tmp: PostgreSQL and others do not run as root. */
const FOR_ALL = 0o1777;

/**
 * One folder for everything temporary of a run, so that what a killed test left goes with it. If the run itself is
 * killed, the next one removes the folder: its name tells the process. Called once for each project.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  const parent = tmpdir();
  if (parent.includes(PREFIX)) return undefined;
  await removeDead(parent);
  const dir = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
  await chmod(dir, FOR_ALL);
  process.env.TMPDIR = dir;
  return () => remove(dir);
}

/** Returns the names of the removed folders. */
export async function removeDead(parent: string): Promise<readonly string[]> {
  const found = (await readdir(parent)).flatMap((name) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    return pid === undefined || isRunning(Number(pid)) ? [] : [name];
  });
  for (const name of found) await remove(join(parent, name));
  return found;
}

/** Somebody else's is no reason to fail; and what is mounted in there, such as a server's disk, is not ours to empty. */
async function remove(dir: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  if (mounts.includes(` ${dir}/`)) return;
  await rm(dir, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
