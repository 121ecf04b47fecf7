import type { PackageChange, UpdatesState } from '../../facts/updates.ts';

export interface DiskNeed {
  /** Where the file system is mounted. */
  readonly mount: string;
  readonly bytes: number;
  readonly free: number;
}

/**
 * The most that the changes take, by file system: the downloads; what grows; the largest package once more, since dpkg
 * unpacks the new files beside the old ones (dpkg(1), --unpack); an initrd for each new kernel.
 */
export function diskNeeds(
  changes: readonly PackageChange[],
  { disk, reboot }: UpdatesState,
): readonly DiskNeed[] {
  const grows = changes.reduce(
    (sum, { installedBytes, installedBytesBefore }) =>
      sum + Math.max(0, installedBytes - installedBytesBefore),
    0,
  );
  const largest = Math.max(0, ...changes.map(({ installedBytes }) => installedBytes));
  const kernels = changes.filter(({ name }) => /^linux-image-\d/.test(name)).length;
  const needs: Readonly<Record<string, number>> = {
    '/usr': grows + largest,
    '/boot': kernels * reboot.initrdBytes,
    '/var/cache/apt/archives': changes.reduce((sum, { downloadBytes }) => sum + downloadBytes, 0),
  };
  const mounts = [...new Set(disk.map(({ mount }) => mount))];
  return mounts.flatMap((mount) => {
    const here = disk.filter((system) => system.mount === mount);
    const needed = here.reduce((sum, { path }) => sum + (needs[path] ?? 0), 0);
    return needed === 0 ? [] : [{ mount, bytes: needed, free: here[0]?.freeBytes ?? 0 }];
  });
}
