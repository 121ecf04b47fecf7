import { mkdir, rename, stat } from 'node:fs/promises';
import { withLock } from './lock.ts';
import { unmountAndRemove } from './overlay.ts';

/**
 * A folder that is built once. An unfinished build has another name, so a folder of this name is whole. What a killed
 * build has left, mounts too, is removed before the next one.
 */
export async function cachedDir(dir: string, build: (dir: string) => Promise<void>): Promise<void> {
  if (await isThere(dir)) return;
  await withLock('base', async () => {
    if (await isThere(dir)) return;
    const partial = `${dir}.partial`;
    await unmountAndRemove(partial);
    await mkdir(partial, { recursive: true });
    await build(partial);
    await rename(partial, dir);
  });
}

/**
 * The argument vector so that whatever it starts or mounts ends with this process, however that ends: debootstrap
 * mounts /proc in the folder and would go on there while the next build removes it.
 */
export function endingWithUs(argv: readonly string[]): readonly string[] {
  return ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', ...argv];
}

function isThere(dir: string): Promise<boolean> {
  return stat(dir).then(
    () => true,
    () => false,
  );
}
