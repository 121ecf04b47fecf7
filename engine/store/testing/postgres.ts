import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../store.ts';

/** Where Debian keeps its clusters' programs, one folder a major version (package postgresql). */
const DEBIAN_POSTGRESQL = '/usr/lib/postgresql';
export const START_DEADLINE_MS = 60_000;

/** A sentence that says why no cluster can be started here; undefined when one can. */
export function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux') return 'they need Linux.';
  return binaries() === undefined
    ? 'install the Debian package postgresql (apt-get install postgresql).'
    : undefined;
}

function binaries(): string | undefined {
  try {
    const [newest] = readdirSync(DEBIAN_POSTGRESQL).toSorted((a, b) => Number(b) - Number(a));
    return newest === undefined ? undefined : join(DEBIAN_POSTGRESQL, newest, 'bin');
  } catch {
    return undefined;
  }
}

export interface PostgresCluster {
  /** For `DATABASE_URL`; on a Unix socket only. */
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Ends at once, with nothing put in order: what was committed must come out of its log. */
  readonly crash: () => Promise<void>;
  /** After a crash. */
  readonly start: () => Promise<void>;
}

/**
 * A PostgreSQL of its own, in a temporary folder that goes with `stop`. It refuses to run as root: then it runs as the
 * package's own user, and ends when this process does.
 */
export async function startCluster(): Promise<PostgresCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'doaas-pg-'));
  const url = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(dir)}`;
  const clean = (): void => rmSync(dir, { recursive: true, force: true });
  try {
    initialise(dir);
    let end = await launch(dir, url);
    return {
      url,
      stop: () => end('SIGINT').finally(clean),
      crash: () => end('SIGQUIT'),
      start: async () => {
        end = await launch(dir, url, WITHOUT_FSYNC);
      },
    };
  } catch (error) {
    clean();
    throw error;
  }
}

const isRoot = userInfo().uid === 0;
/** Of setpriv(1). */
const AS: readonly string[] = isRoot
  ? ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig', 'INT']
  : ['--pdeathsig', 'INT'];

function initialise(dir: string): void {
  if (isRoot) chownSync(dir, id('-u'), id('-g'));
  const initdb = [
    join(binaries() ?? '', 'initdb'),
    '-D',
    join(dir, 'data'),
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  execFileSync('setpriv', [...AS, ...initdb], { stdio: 'pipe', cwd: dir });
}

/**
 * After a crash it first waits for the disk to write each of its thousand files (recovery_init_sync_method), which takes seconds where others
 * write as well. That is for machines that lost power: a process that was killed has given the kernel what it committed.
 */
const WITHOUT_FSYNC: readonly string[] = ['-c', 'fsync=off'];

/** Returns how to end it: SIGINT in order, SIGQUIT at once (postgres(1)). */
async function launch(
  dir: string,
  url: string,
  settings: readonly string[] = [],
): Promise<(signal: NodeJS.Signals) => Promise<void>> {
  const postgres = [join(binaries() ?? '', 'postgres'), '-D', join(dir, 'data'), '-k', dir, ...settings];
  const server = spawn('setpriv', [...AS, ...postgres, '-c', 'listen_addresses='], {
    stdio: 'ignore',
    cwd: dir,
  });
  const ended = new Promise<void>((resolve) => server.on('close', () => resolve()));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    server.kill(signal);
    await ended;
  };
  await untilItAnswers(url).catch(async (error: unknown) => {
    await end('SIGINT');
    throw error;
  });
  return end;
}

function id(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}

async function untilItAnswers(url: string): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      await (await openStore({ url })).close();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
