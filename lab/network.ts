import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tryRun } from './run.ts';
import {
  BRIDGE,
  BRIDGE_ADDRESS,
  cardAddress,
  kernelName,
  PREFIX_LENGTH,
  RUN_DIR,
  SUBNET,
} from './settings.ts';

/** systemd takes several inotify instances a host and all hosts' root is one user to the kernel; 128 is the default. */
const SYSCTLS: Readonly<Record<string, number>> = {
  'fs/inotify/max_user_instances': 8192,
  'fs/inotify/max_user_watches': 524_288,
};
const sysctlsFile = join(RUN_DIR, 'sysctls.json');

/** Makes the bridge and raises the limits; does nothing where it is there. The caller holds the network lock. */
export async function ensureBridge(): Promise<void> {
  const link = await tryRun(['ip', 'link', 'show', BRIDGE]);
  if (link.code === 0) return;
  await mkdir(RUN_DIR, { recursive: true });
  await raiseSysctls();
  await run(['ip', '-batch', '-'], {
    input: [
      `link add ${BRIDGE} type bridge forward_delay 0 stp_state 0`,
      `addr add ${BRIDGE_ADDRESS}/${PREFIX_LENGTH} dev ${BRIDGE}`,
      `link set ${BRIDGE} up`,
    ].join('\n'),
  });
}

/** The caller holds the network lock and has made sure that no host is left. */
export async function removeBridge(): Promise<void> {
  await tryRun(['ip', 'link', 'del', BRIDGE]);
  await restoreSysctls();
}

/** Numbers of the hosts that hold an address now. */
export async function usedIndexes(): Promise<Set<number>> {
  const names = await readdir('/run/netns').catch(() => []);
  const prefix = kernelName(0).slice(0, -1);
  return new Set(
    names.filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length))),
  );
}

/** Makes the namespaces and links of all these hosts. The caller holds the network lock. */
export async function addNamespaces(indexes: readonly number[]): Promise<void> {
  const lines = indexes.flatMap((index) => {
    const name = kernelName(index);
    return [
      `netns add ${name}`,
      `link add ${linkName(index)} type veth peer name eth0 address ${cardAddress(index)} netns ${name}`,
      `link set ${linkName(index)} master ${BRIDGE} up`,
    ];
  });
  await run(['ip', '-batch', '-'], { input: lines.join('\n') });
}

export async function configureNamespace(index: number): Promise<void> {
  await run(['ip', '-n', kernelName(index), '-batch', '-'], {
    input: [
      'link set lo up',
      `addr add ${SUBNET}.${index}/${PREFIX_LENGTH} dev eth0`,
      'link set eth0 up',
    ].join('\n'),
  });
}

export async function removeNamespace(index: number): Promise<void> {
  await tryRun(['ip', 'link', 'del', linkName(index)]);
  await tryRun(['ip', 'netns', 'del', kernelName(index)]);
}

/** Pulls the cable, or puts it back: the machine's end of the link goes down. */
export async function setLink(index: number, state: 'up' | 'down'): Promise<void> {
  await run(['ip', 'link', 'set', linkName(index), state]);
}

function linkName(index: number): string {
  return kernelName(index);
}

async function raiseSysctls(): Promise<void> {
  const before: Record<string, string> = {};
  for (const [name, wanted] of Object.entries(SYSCTLS)) {
    const now = (await readFile(`/proc/sys/${name}`, 'utf8')).trim();
    if (Number(now) >= wanted) continue;
    before[name] = now;
  }
  await writeFile(sysctlsFile, JSON.stringify(before));
  for (const name of Object.keys(before)) await writeFile(`/proc/sys/${name}`, String(SYSCTLS[name]));
}

async function restoreSysctls(): Promise<void> {
  const text = await readFile(sysctlsFile, 'utf8').catch(() => '{}');
  const before = JSON.parse(text) as Record<string, string>;
  for (const [name, value] of Object.entries(before)) {
    if (name in SYSCTLS) await writeFile(`/proc/sys/${name}`, value).catch(() => {});
  }
  await rm(sysctlsFile, { force: true });
}
