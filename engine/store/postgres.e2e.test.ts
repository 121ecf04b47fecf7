import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeSuite } from './store.suite.ts';
import { openStore } from './store.ts';

/** Where Debian keeps its clusters' programs, one folder a major version (package postgresql). */
const DEBIAN_POSTGRESQL = '/usr/lib/postgresql';
const START_DEADLINE_MS = 60_000;

const missing = whatIsMissing();
if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);
if (missing !== undefined) console.warn(`PostgreSQL tests are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('with a throw-away PostgreSQL', () => {
  let dir = '';
  let stop: () => Promise<void> = async () => {};
  const url = (): string => `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(dir)}`;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'doaas-pg-'));
    stop = await startCluster(dir, url());
  }, START_DEADLINE_MS);
  afterAll(async () => {
    await stop();
    if (dir !== '') rmSync(dir, { recursive: true, force: true });
  });

  storeSuite('PostgreSQL', () => openStore({ url: url() }));

  it('lets several engines start and lock at the same time', async () => {
    const stores = await Promise.all([1, 2, 3].map(() => openStore({ url: url() })));
    const answers = await Promise.all(
      stores.map((s, i) =>
        s.locks.acquire({ runId: `n${i}`, workflowId: 'w', hosts: ['shared'], pull: 'o/r#1' }),
      ),
    );
    expect(answers.filter((a) => a.kind === 'granted')).toHaveLength(1);
    await Promise.all(stores.map((s) => s.close()));
  });

  it('says that a server is not there', async () => {
    const nowhere = openStore({ url: 'postgresql://u:secretword@127.0.0.1:1/x' });
    const error = await nowhere.catch((e: unknown) => e);
    expect(error).toMatchObject({ type: 'store-unavailable', retryable: true });
    expect(String(error)).not.toContain('secretword');
  });
});

function whatIsMissing(): string | undefined {
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

/** PostgreSQL refuses to run as root: then it runs as the package's own user, and ends when this process does. */
async function startCluster(dir: string, url: string): Promise<() => Promise<void>> {
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
  await untilItAnswers(url);
  return async () => {
    server.kill('SIGINT');
    await ended;
  };
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
