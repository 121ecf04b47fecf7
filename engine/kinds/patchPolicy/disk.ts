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
  const needs = new Map([
    ['/usr', grows + largest],
    ['/boot', kernels * reboot.initrdBytes],
    ['/var/cache/apt/archives', changes.reduce((sum, { downloadBytes }) => sum + downloadBytes, 0)],
  ]);
  const found = new Map<string, DiskNeed>();
  for (const { path, mount, freeBytes } of disk) {
    const { bytes, free } = found.get(mount) ?? { bytes: 0, free: freeBytes };
    found.set(mount, { mount, bytes: bytes + (needs.get(path) ?? 0), free });
  }
  return [...found.values()].filter(({ bytes }) => bytes > 0);
}
