import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { APT_PROXY } from './apt-cache.ts';
import { type AptSource, archiveSources, hostSources, parseAptSources, throughCache } from './apt-sources.ts';
import { cachedDir, endingWithUs } from './cached-dir.ts';
import { run, tryRun } from './run.ts';
import type { LabSettings, Progress } from './settings.ts';

export type BaseName = 'bare' | 'python';

/** What every host has. No Python: the engine must work on a bare host. */
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'sudo', 'iproute2', 'nftables'],
  ...['ca-certificates', 'procps', 'netbase', 'tzdata', 'less'],
];
/** What Ansible and pyinfra want on their targets, for the comparisons. */
const PYTHON_PACKAGES = ['python3', 'python3-apt'];
/** They would hold apt's lock or change files at a time of their own. */
const QUIET_UNITS = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
];
/** Raise when the steps below change, so that cached images are built again. */
const RECIPE = 6;
/** debootstrap prints some 500 lines; every so many one is shown. */
const PROGRESS_EVERY = 40;

/** Folder of the base image, built once and cached by what goes into it. Takes about a minute the first time. */
export async function ensureBase(settings: LabSettings, base: BaseName, progress: Progress): Promise<string> {
  const sources = await machineSources();
  const key = createHash('sha256').update(JSON.stringify([RECIPE, PACKAGES, PYTHON_PACKAGES, sources]));
  const bare = join(settings.cacheDir, `base-bare-${key.copy().digest('hex').slice(0, 12)}`);
  await cachedDir(bare, (dir) => buildBare(dir, sources, progress));
  if (base === 'bare') return bare;
  const python = bare.replace('base-bare-', 'base-python-');
  await cachedDir(python, (dir) => buildPython(dir, bare, progress));
  return python;
}

async function buildBare(dir: string, sources: readonly AptSource[], progress: Progress): Promise<void> {
  const main = sources.find((source) => source.suites.some((suite) => !suite.includes('-')));
  const suite = main?.suites.find((name) => !name.includes('-'));
  if (!main || !suite) throw new Error("no apt source of this machine names its distribution's main archive");
  progress(`building the base image (${suite}): about a minute, once`);
  let lines = 0;
  const onLine = (line: string): void => {
    if (lines++ % PROGRESS_EVERY === 0) progress(`  ${line}`);
  };
  const keyring = main.signedBy ? [`--keyring=${main.signedBy}`] : [];
  await run(
    endingWithUs([
      'debootstrap',
      '--variant=minbase',
      `--include=${PACKAGES.join(',')}`,
      ...keyring,
      suite,
      dir,
      throughCache(main.uri),
    ]),
    { onLine, env: { ...process.env, http_proxy: APT_PROXY } },
  );
  await writeAptSettings(dir, sources);
  progress('  updating it and its package lists');
  await chroot(dir, ['apt-get', 'update', '-q']);
  await chroot(dir, ['apt-get', '-qy', 'dist-upgrade']);
  await settle(dir);
}

async function buildPython(dir: string, bare: string, progress: Progress): Promise<void> {
  progress('building the base image with Python');
  await run(['cp', '-a', `${bare}/.`, dir]);
  await chroot(dir, ['apt-get', '-qy', 'install', '--no-install-recommends', ...PYTHON_PACKAGES]);
  await chroot(dir, ['apt-get', 'clean']);
}

async function writeAptSettings(dir: string, sources: readonly AptSource[]): Promise<void> {
  await rm(join(dir, 'etc/apt/sources.list'), { force: true });
  await writeFile(join(dir, 'etc/apt/sources.list.d/debian.sources'), hostSources(sources));
  const own = (await run(['apt-config', 'dump'])).split('\n').filter((line) => /^Acquire::Check-/.test(line));
  const settings = [`Acquire::http::Proxy "${APT_PROXY}";`, 'Acquire::Languages "none";', ...own, ''];
  await writeFile(join(dir, 'etc/apt/apt.conf.d/00lab'), settings.join('\n'));
}

/** What makes it a host that has never booted: no identity of its own, one user beside root. */
async function settle(dir: string): Promise<void> {
  await chroot(dir, ['apt-get', 'clean']);
  // At the first removal dpkg takes the Priority and Section of debootstrap's `available` over into its status. Taken
  // over here, installing and removing leaves that file byte for byte as it was.
  await chroot(dir, ['dpkg', '--set-selections']);
  await chroot(dir, ['systemctl', 'disable', ...QUIET_UNITS]);
  await chroot(dir, ['useradd', '--create-home', '--shell', '/bin/bash', 'deploy']);
  await writeFile(join(dir, 'etc/sudoers.d/deploy'), 'deploy ALL=(ALL:ALL) NOPASSWD: ALL\n');
  await chmod(join(dir, 'etc/sudoers.d/deploy'), 0o440);
  for (const home of ['root', 'home/deploy'])
    await mkdir(join(dir, home, '.ssh'), { recursive: true, mode: 0o700 });
  await chroot(dir, ['chown', '-R', 'deploy:deploy', '/home/deploy']);
  const ssh = await readdir(join(dir, 'etc/ssh'));
  for (const name of ssh.filter((file) => file.startsWith('ssh_host_'))) await rm(join(dir, 'etc/ssh', name));
  await writeFile(join(dir, 'etc/resolv.conf'), '');
  await writeFile(join(dir, 'etc/machine-id'), '');
}

async function chroot(dir: string, argv: readonly string[]): Promise<void> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' };
  const deny = join(dir, 'usr/sbin/policy-rc.d');
  await writeFile(deny, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await run(endingWithUs(['chroot', dir, ...argv]), { env });
  } finally {
    await rm(deny, { force: true });
  }
}

/** The distribution's own archive as this machine's apt names it. */
async function machineSources(): Promise<AptSource[]> {
  const files = ['/etc/apt/sources.list', ...(await listFiles('/etc/apt/sources.list.d'))];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  const all = files.flatMap((file, i) => parseAptSources(file, texts[i] ?? ''));
  const release = await readFile('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(release)?.[1] ?? '';
  const usable = archiveSources(all, codename);
  if (usable.length > 0) return usable;
  const seen = (await tryRun(['apt-get', 'indextargets', '--format', '$(REPO_URI)'])).stdout;
  throw new Error(
    `no http(s) apt source for ${codename} main among ${files.join(', ')} (apt itself uses: ${seen})`,
  );
}

async function listFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  return names
    .filter((name) => /\.(list|sources)$/.test(name))
    .sort()
    .map((name) => join(dir, name));
}
