import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tryRun } from './run.ts';

/** A host's file system: a shared, read-only base below and the host's own changes above. */
export interface Overlay {
  /** What the host sees as `/`. */
  readonly merged: string;
  /** Only what differs from the base. */
  readonly upper: string;
}

export function overlayPaths(hostDir: string): Overlay {
  return { merged: join(hostDir, 'root'), upper: join(hostDir, 'disk', 'upper') };
}

/**
 * `diskMiB` puts the changes on a file system of that size, so that the host's disk can be full.
 * Redirects and metadata-only copies are off: the upper folder then tells on its own which files changed.
 */
export async function mountOverlay(hostDir: string, base: string, diskMiB?: number): Promise<Overlay> {
  const overlay = overlayPaths(hostDir);
  const disk = join(hostDir, 'disk');
  await mkdir(disk, { recursive: true });
  if (diskMiB !== undefined) {
    await run(['mount', '-t', 'tmpfs', '-o', `size=${diskMiB}m,mode=755`, 'doaas-lab', disk]);
  }
  for (const dir of [overlay.upper, join(disk, 'work'), overlay.merged])
    await mkdir(dir, { recursive: true });
  const layers = `lowerdir=${base},upperdir=${overlay.upper},workdir=${join(disk, 'work')}`;
  const options = `${layers},redirect_dir=off,metacopy=off,index=off`;
  await run(['mount', '-t', 'overlay', '-o', options, 'doaas-lab', overlay.merged]).catch(
    (error: unknown) => {
      throw new Error(`no overlay on ${hostDir}: set DOAAS_LAB_DIR to a folder on ext4, xfs or tmpfs`, {
        cause: error,
      });
    },
  );
  return overlay;
}

/** Unmounts whatever is mounted below the folder, deepest first, and deletes it. */
export async function unmountAndRemove(dir: string): Promise<void> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  const points = mountinfo.split('\n').map((line) => line.split(' ')[4] ?? '');
  for (const point of points.filter((path) => path.startsWith(`${dir}/`)).reverse()) {
    const done = await tryRun(['umount', point]);
    if (done.code !== 0) await run(['umount', '--lazy', point]);
  }
  await rm(dir, { recursive: true, force: true });
}
