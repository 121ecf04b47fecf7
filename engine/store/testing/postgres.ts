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
    const stop = await launch(dir, url);
    return { url, stop: () => stop().finally(clean) };
  } catch (error) {
    clean();
    throw error;
  }
}

async function launch(dir: string, url: string): Promise<() => Promise<void>> {
  const bin = binaries() ?? '';
  const root = userInfo().uid === 0;
  if (root) chownSync(dir, id('-u'), id('-g'));
  const as = root
    ? ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig', 'INT']
    : ['--pdeathsig', 'INT'];
  const data = join(dir, 'data');
  const cwd = dir;
  const initdb = [
    join(bin, 'initdb'),
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  execFileSync('setpriv', [...as, ...initdb], { stdio: 'pipe', cwd });
  const server = spawn(
    'setpriv',
    [...as, join(bin, 'postgres'), '-D', data, '-k', dir, '-c', 'listen_addresses='],
    { stdio: 'ignore', cwd },
  );
  const ended = new Promise<void>((resolve) => server.on('close', () => resolve()));
  const stop = async (): Promise<void> => {
    server.kill('SIGINT');
    await ended;
  };
  await untilItAnswers(url).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return stop;
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
