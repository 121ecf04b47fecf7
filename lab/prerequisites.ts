/**
 * What the lab needs from Debian. As a program, `npx tsx lab/prerequisites.ts` installs what is missing (root);
 * with `--check` it only says so and ends with 1.
 */
import { access, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { run, tryRun } from './run.ts';
import type { Progress } from './settings.ts';

/** Debian package by the file that shows it is there. */
export const NEEDED: Readonly<Record<string, string>> = {
  debootstrap: '/usr/sbin/debootstrap',
  'systemd-container': '/usr/bin/systemd-nspawn',
  'apt-cacher-ng': '/usr/sbin/apt-cacher-ng',
  iproute2: '/usr/bin/ip',
  nftables: '/usr/sbin/nft',
  'openssh-client': '/usr/bin/ssh',
  git: '/usr/bin/git',
  'util-linux': '/usr/bin/nsenter',
  'debian-archive-keyring': '/usr/share/keyrings/debian-archive-keyring.gpg',
};
/** Services of packages that are here for their programs only: they must not start with the machine either. */
const UNWANTED_UNITS: Readonly<Record<string, string>> = {
  'apt-cacher-ng': 'apt-cacher-ng.service',
  'openssh-server': 'ssh.service',
  postgresql: 'postgresql.service',
};
const POLICY = '/usr/sbin/policy-rc.d';

/** Names of the Debian packages that the lab (or `needed`, of the same form) lacks on this machine. */
export async function missingPackages(needed = NEEDED): Promise<string[]> {
  const checks = Object.entries(needed).map(async ([name, file]) => {
    const there = await access(file).then(
      () => true,
      () => false,
    );
    return there ? [] : [name];
  });
  return (await Promise.all(checks)).flat();
}

/** Why no lab can run here, as a sentence; undefined if it can, once the packages are there. */
export async function labObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `the lab needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'the lab needs root (namespaces, mounts, control groups); run as root';
  const missing = await missingPackages();
  if (missing.length > 0)
    return `the lab needs Debian packages that are missing here: ${missing.join(', ')}; \`npx tsx lab/prerequisites.ts\` installs them`;
  const probe = await tryRun(['unshare', '--mount', '--net', '--pid', '--fork', 'true']);
  return probe.code === 0 ? undefined : `this machine allows no new namespaces: ${probe.stderr.trim()}`;
}

/** Installs what is missing with apt-get; no service of it starts. Needs root. */
export async function installMissing(progress: Progress, needed = NEEDED): Promise<void> {
  const missing = await missingPackages(needed);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`run as root to install: ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  progress(`installing ${missing.join(' ')}`);
  await run(['apt-get', 'update', '-q'], { env });
  const onLine = (line: string): void => {
    if (/^(Get:|Unpacking|Setting up|Need to get)/.test(line)) progress(`  ${line}`);
  };
  await withoutServices(() =>
    run(['apt-get', 'install', '-qy', '--no-install-recommends', ...missing], { env, onLine }),
  );
  const unwanted = missing.flatMap((name) => UNWANTED_UNITS[name] ?? []);
  if (unwanted.length > 0) await tryRun(['systemctl', 'disable', '--now', ...unwanted]);
}

/** policy-rc.d(8) with 101: no package starts its service while this runs. One that is there already is respected. */
async function withoutServices(work: () => Promise<unknown>): Promise<void> {
  const ours = await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  await work().finally(() => (ours ? rm(POLICY) : undefined));
}

const [, script, flag] = process.argv;
if (script === fileURLToPath(import.meta.url)) {
  if (flag === '--check') {
    const missing = await missingPackages();
    console.log(missing.length > 0 ? `missing: ${missing.join(' ')}` : 'nothing is missing');
    process.exitCode = missing.length > 0 ? 1 : 0;
  } else {
    await installMissing((line) => console.log(line));
  }
}
