import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../engine/config/config.ts';
import { settings } from '../engine/config/settings.ts';
import { installationLimits } from '../engine/github/budget.ts';
import { committedFiles, ROOT, read } from './architecture/sources.ts';

type Texts = Readonly<Record<string, string>>;

interface Service {
  readonly build?: { readonly dockerfile_inline: string };
  readonly environment?: Texts;
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ulimits?: Readonly<Record<string, number>>;
}

const compose = load(read('docker-compose.yml')) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, unknown>>;
};

/** With what `<<` merges in, where the loader leaves that to its caller. */
function merged<T extends object>(value: T): T {
  const { '<<': more, ...own } = value as T & { readonly '<<'?: object };
  return { ...more, ...own } as T;
}

const services = Object.fromEntries(
  Object.entries(compose.services).map(([name, service]) => [name, merged(service)]),
);
const ENGINES = ['receiver', 'worker'] as const;
const environmentOf = (name: string): Texts => merged(services[name]?.environment ?? {});
const image = services.receiver?.build?.dockerfile_inline ?? '';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-compose-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.each(ENGINES)('docker-compose.yml: %s', (name) => {
  test('passes only settings that the engine knows', () => {
    const known = Object.values(settings).flatMap((setting) =>
      setting.secret ? [setting.name, `${setting.name}_FILE`] : [setting.name],
    );
    expect(Object.keys(environmentOf(name)).filter((key) => !known.includes(key))).toEqual([]);
  });

  test('leaves no core dump, which would hold secrets', () => {
    expect(services[name]?.ulimits).toEqual({ core: 0 });
  });

  test('gets every secret that it is told to read', () => {
    const files = Object.values(environmentOf(name)).filter((value) => value.startsWith('/run/secrets/'));
    const given = services[name]?.secrets ?? [];
    expect(files.map((file) => file.slice('/run/secrets/'.length)).sort()).toEqual([...given].sort());
    expect(given.filter((secret) => !(secret in compose.secrets))).toEqual([]);
  });

  test('starts with these settings', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(join(dir, 'github-app'), privateKey.export({ type: 'pkcs1', format: 'pem' }));
    await writeFile(join(dir, 'webhook-secret'), randomBytes(32).toString('hex'));
    const person: Texts = {
      GITHUB_APP_ID: '123456',
      POSTGRES_PASSWORD: randomBytes(24).toString('hex'),
      DOAAS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    };
    const filled = Object.entries(environmentOf(name)).map(([key, value]) => [
      key,
      value
        .replaceAll(/\$\{(\w+):\?[^}]*\}/g, (_, variable: string) => person[variable] ?? '')
        .replace('/run/secrets', dir),
    ]);
    const config = loadConfig(Object.fromEntries(filled));
    expect(config).toMatchObject({ role: name, dataDir: '/data', temporalAddress: 'temporal:7233' });
    expect(config.databaseUrl?.reveal()).toBe(
      `postgres://doaas:${person.POSTGRES_PASSWORD}@postgresql:5432/doaas`,
    );
    expect(config.encryptionKey?.reveal()).toBe(name === 'worker' ? person.DOAAS_ENCRYPTION_KEY : undefined);
    expect(config.sshKeyFile).toBe(name === 'worker' ? join(dir, 'ssh-key') : undefined);
  });
});

test('docker-compose.yml gives the receiver, which the internet reaches, nothing to reach servers or Temporal with', () => {
  const { secrets } = services.receiver ?? {};
  expect(secrets).toEqual(['github-app', 'webhook-secret']);
  expect(Object.keys(environmentOf('receiver')).filter((key) => /SSH|ENCRYPTION/.test(key))).toEqual([]);
});

test('what its top says to type makes the .env that it reads, and keeps one that is there', async () => {
  const header = read('docker-compose.yml').split('\nname:')[0] ?? '';
  const typed = [...header.matchAll(/^# {3}(.*)$/gm)].map(([, line = '']) => line);
  const from = typed.findIndex((line) => line.includes('cat >.env'));
  const script = typed.slice(from, typed.indexOf('END', from) + 1).join('\n');
  const file = join(dir, '.env');
  const sh = () => promisify(execFile)('sh', ['-c', script], { cwd: dir });
  await sh();
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(
    /^GITHUB_APP_ID=\d+\nPOSTGRES_PASSWORD=[0-9a-f]{48}\nDOAAS_ENCRYPTION_KEY=[A-Za-z0-9+/]{43}=\n$/,
  );
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const asked = new Set(read('docker-compose.yml').match(/(?<=\$\{)\w+(?=:\?)/g));
  expect(text.match(/^\w+(?==)/gm)?.sort()).toEqual([...asked].sort());
  await expect(sh()).rejects.toThrow('.env');
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('docker-compose.yml keeps as many workers as it starts below what GitHub allows all of them', () => {
  const workers = Number(/--scale worker=(\d+)$/m.exec(read('docker-compose.yml'))?.[1]);
  const share = environmentOf('worker').DOAAS_GITHUB_WRITES_PER_MINUTE ?? '';
  const { writes, requests } = installationLimits(Number(share || settings.githubWritesPerMinute.fallback));
  const together = [...writes, ...requests].map(({ most }) => most * workers);
  expect(workers).toBe(2);
  // a minute, an hour; and of all requests an hour ("Rate limits for the REST API")
  [80, 500, 5_000].forEach((allowed, i) => {
    expect(together[i]).toBeLessThan(allowed);
    expect(together[i]).toBeGreaterThan(allowed * 0.85);
  });
});

test('docker-compose.yml asks the receiver for its health where it listens', () => {
  const { ports = [], healthcheck } = services.receiver ?? {};
  expect(ports).toEqual([`127.0.0.1:${settings.port.fallback}:${settings.port.fallback}`]);
  expect(healthcheck?.test.join(' ')).toContain(`http://127.0.0.1:${settings.port.fallback}/readyz`);
});

describe("the engine's image", () => {
  const packageJson = JSON.parse(read('package.json'));

  test('starts the engine as `npm start` does', () => {
    const command: string[] = JSON.parse(/^CMD (.+)$/m.exec(image)?.[1] ?? '[]');
    const environment = [...image.matchAll(/^ENV (\S+=\S+)$/gm)].map(([, setting]) => setting);
    expect([...environment, ...command].join(' ')).toBe(packageJson.scripts.start);
  });

  test('holds every file that the engine needs', { timeout: 120_000 }, async () => {
    const app = join(dir, 'app');
    const copied = [...image.matchAll(/^COPY (.+) (\S+)$/gm)].flatMap(([, from = '']) => from.split(' '));
    const files = committedFiles().filter((path) =>
      copied.some((from) => path === from || path.startsWith(`${from}/`)),
    );
    expect(files.length).toBeGreaterThan(100);
    for (const file of files) {
      await mkdir(dirname(join(app, file)), { recursive: true });
      await cp(join(ROOT, file), join(app, file));
    }
    await symlink(join(ROOT, 'node_modules'), join(app, 'node_modules'));
    const node = (...args: string[]) =>
      new Promise<string>((resolve) => {
        const options = { cwd: app, env: { PATH: process.env.PATH } };
        execFile(process.execPath, ['--import', 'tsx', ...args], options, (_, stdout, stderr) =>
          resolve(`${stdout}${stderr}`),
        );
      });
    expect(await node('scripts/bundle.ts')).toBe('');
    expect(await node('dist/engine.js')).toContain('GITHUB_APP_ID is missing.');
    expect(await node('engine/cli/entry.ts', 'status')).toContain('There is no store at');
  });

  test('holds every package that the engine needs, though none for development', () => {
    const development = Object.keys(packageJson.devDependencies);
    const running = committedFiles().filter(
      (path) =>
        /^(engine|workflows)\/.*\.(ts|cjs)$/.test(path) && !/\.test\.ts$|\.suite\.ts$|testing/.test(path),
    );
    const wrong = running.flatMap((path) =>
      [...read(path).matchAll(/(?:from|import\(|require\() ?'([^'.][^']*)'/g)]
        .filter(([whole]) => !whole.includes('node:'))
        .map(([, name = '']) => name)
        .filter((name) => development.some((dev) => name === dev || name.startsWith(`${dev}/`)))
        .map((name) => `${path}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});
