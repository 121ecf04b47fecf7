/**
 * Everything that the demo and the end-to-end tests need from the machine, once: Debian packages, a Temporal server,
 * the lab's base image, the workflow bundle. What is there already costs a second. As a program it narrates.
 */
import { fileURLToPath } from 'node:url';
import { findTemporal, NoTemporalError } from '../engine/temporal/executable.ts';
import { openLab } from '../lab/hosts.ts';
import { installMissing, labObstacle, NEEDED } from '../lab/prerequisites.ts';
import type { Progress } from '../lab/settings.ts';
import { bundle } from './bundle.ts';

/** What tests start beside the lab. Debian package by the file that shows it is there, as in lab/prerequisites.ts. */
const FOR_TESTS: Readonly<Record<string, string>> = {
  postgresql: '/usr/lib/postgresql',
  'openssh-server': '/usr/sbin/sshd',
  sudo: '/usr/bin/sudo',
  openssl: '/usr/bin/openssl',
  gnupg: '/usr/bin/gpg',
  procps: '/usr/bin/ps',
  sqlite3: '/usr/bin/sqlite3',
  // makes the package repositories that the tests serve
  'apt-utils': '/usr/bin/apt-ftparchive',
};
/** Only where no Temporal can be found or downloaded: its build needs the Go that pip fetches. */
const FOR_BUILDING_TEMPORAL: Readonly<Record<string, string>> = {
  'python3-pip': '/usr/bin/pip3',
  'ca-certificates': '/etc/ssl/certs/ca-certificates.crt',
};

/** Why the machine cannot run the lab, as a sentence without a full stop; undefined when all is ready. */
export async function prepare(progress: Progress, forTests: boolean): Promise<string | undefined> {
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    const problem = await install(progress, { ...NEEDED, ...(forTests ? FOR_TESTS : {}) });
    if (problem !== undefined) return problem;
  }
  const obstacle = await labObstacle();
  if (obstacle !== undefined) return obstacle;
  try {
    await temporal(progress);
    await bundle();
    await baseImage(progress);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function install(
  progress: Progress,
  needed: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  try {
    await installMissing(progress, needed);
    return undefined;
  } catch (error) {
    return `Debian packages could not be installed: ${messageOf(error)}`;
  }
}

async function temporal(progress: Progress): Promise<void> {
  try {
    await findTemporal({ progress });
  } catch (error) {
    if (!(error instanceof NoTemporalError)) throw error;
    await installMissing(progress, FOR_BUILDING_TEMPORAL);
    await findTemporal({ progress });
  }
}

/** A lab without hosts: what it needs stays in the cache. */
async function baseImage(progress: Progress): Promise<void> {
  const lab = await openLab({ progress });
  try {
    await lab.up([]);
  } finally {
    await lab.down();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`.padStart(6);
  const problem = await prepare(
    (line) => console.log(`${seconds()}  ${line}`),
    process.argv.includes('--tests'),
  );
  if (problem === undefined) console.log(`${seconds()}  everything that is needed is there`);
  else {
    console.error(`This machine cannot run the lab: ${problem}.`);
    process.exitCode = 1;
  }
}
