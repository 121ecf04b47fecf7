import { rm } from 'node:fs/promises';
import { stopAptCache } from './apt-cache.ts';
import { killGuest, stopGuest } from './guest.ts';
import { withLock } from './lock.ts';
import { removeBridge, removeNamespace, usedIndexes } from './network.ts';
import { unmountAndRemove } from './overlay.ts';
import { type HostRecord, hostDir, isStale, labNames, readHosts, readLab } from './records.ts';
import { kernelName, type LabSettings, labDir } from './settings.ts';
import { inParallel } from './wait.ts';

const PARALLEL_STOPS = 16;

/** Removes one host with all it left on this machine. Whatever is gone already is no error. */
export async function removeHost(settings: LabSettings, record: HostRecord, orderly = false): Promise<void> {
  const name = kernelName(record.index);
  if (orderly && record.guest) await stopGuest(name, record.guest);
  await killGuest(name, record.guest);
  await unmountAndRemove(hostDir(settings, record.lab, record.name));
  await removeNamespace(record.index);
}

/** Removes a lab; when it was the last, also the bridge and the apt cache's process. */
export async function removeLab(settings: LabSettings, lab: string): Promise<void> {
  await withLock(`lab-${lab}`, async () => {
    const hosts = await readHosts(settings, lab);
    await inParallel(hosts, PARALLEL_STOPS, (host) => removeHost(settings, host));
    await unmountAndRemove(labDir(settings, lab));
  });
  await rm(`/run/doaas-lab/lab-${lab}.lock`, { force: true });
  await releaseNetwork(settings);
}

/** Labs whose owner is gone without having been able to clean up. */
export async function removeStaleLabs(settings: LabSettings): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await labNames(settings)) {
    const record = await readLab(settings, name);
    if (!record || !(await isStale(record))) continue;
    await removeLab(settings, name);
    removed.push(name);
  }
  return removed;
}

async function releaseNetwork(settings: LabSettings): Promise<void> {
  await withLock('network', async () => {
    if ((await labNames(settings)).length > 0 || (await usedIndexes()).size > 0) return;
    await stopAptCache();
    await removeBridge();
  });
}
