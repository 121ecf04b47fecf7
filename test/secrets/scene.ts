import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { encryptAge, newAgeKey } from '../../engine/secrets/age.ts';
import { SECRET } from '../secret.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';
import { filesBelow, plansIn, type Written } from './search.ts';
import { startVault, type TestVault } from './vault.ts';

/** Distinct, and with what escaping changes. */
export const CANARY = {
  env: 'canary-env-9f21"quote',
  file: 'canary-file-77aa\\back',
  age: 'canary-age-5c3e-é',
  vault: 'canary-vault-10d4-one',
  rotated: 'canary-vault-10d4-two',
  late: 'canary-late-e80b-x',
};
/** Of the engine itself. */
const FINGERPRINT_KEY = randomBytes(32).toString('base64');
/** Not secret: that it is found shows that the search looks at all of these places. */
export const CONTROL = 'control-value-b71e';

export const VARIABLES = {
  apiVersion: 'doaas/v1',
  kind: 'Variables',
  metadata: { name: 'app' },
  spec: {
    targets: { labels: { role: 'web' } },
    values: {
      a: { secretRef: { age: 'secrets/app.age', key: 'password' } },
      e: { secretRef: { env: 'TOKEN' } },
      f: { secretRef: { file: 'app/key' } },
      v: { secretRef: { vault: 'secret/data/app', key: 'password' } },
    },
  },
};

const DECLARED = Object.fromEntries(['a', 'e', 'f', 'v'].map((name) => [name, { type: 'secret' }]));
export const TEMPLATE = `A={{a}}\nE={{e}}\nF={{f}}\nV={{v}}\nC=${CONTROL}\n`;
/** Of /etc/app.env. */
export const contentWith = (vault: string): string =>
  `A=${CANARY.age}\nE=${CANARY.env}\nF=${CANARY.file}\nV=${vault}\nC=${CONTROL}\n`;

type Spec = Readonly<Record<string, unknown>>;

/** A world whose engine has a secret of every source, to be searched for what it wrote. */
export interface Scene {
  readonly world: World;
  readonly vault: TestVault;
  /** Of secrets in files. */
  readonly folder: string;
  /** Settings by which an engine finds the secrets. */
  readonly places: Readonly<Record<string, string>> & { readonly DOAAS_SECRET_TOKEN: string };
  /** The document that writes all secrets to /etc/app.env. `file`: more of that file. */
  readonly app: (more?: Spec, file?: Spec) => string;
  readonly onHost: (script: string) => Promise<string>;
  /** Approves a pull request and asks for its apply. */
  readonly apply: (pull: number) => Promise<void>;
  readonly temporal: (use: (client: Client) => Promise<void>) => Promise<void>;
  /** Puts what somebody was shown beside what is searched. */
  readonly keep: (where: string, text: string) => void;
  /** Checks, comments, pages, logs, the store and every file of the engine. */
  readonly everythingWritten: () => Promise<readonly Written[]>;
  /** What was given to the engine, of others and its own. */
  readonly everySecret: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

export async function startScene(): Promise<Scene> {
  const vault = await startVault();
  vault.entries.set('secret/data/app', { password: CANARY.vault });
  const folder = await mkdtemp(join(tmpdir(), 'doaas-secrets-'));
  await mkdir(join(folder, 'app'), { mode: 0o700 });
  await writeFile(join(folder, 'app/key'), `${CANARY.file}\n`, { mode: 0o600 });
  const { identity, recipient } = await newAgeKey();
  const encrypted = await encryptAge(JSON.stringify({ password: CANARY.age }), [recipient]);
  const places = {
    DOAAS_SECRET_TOKEN: CANARY.env,
    DOAAS_SECRET_LATE: CANARY.late,
    DOAAS_SECRETS_DIR: folder,
    DOAAS_AGE_KEY: identity,
    VAULT_ADDR: vault.address,
    VAULT_TOKEN: vault.token,
  };
  const clean = async (): Promise<void> => {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  };
  const world = await startWorld({
    engine: 'process',
    environment: {
      ...places,
      DOAAS_FINGERPRINT_KEY: FINGERPRINT_KEY,
      DOAAS_LOG_LEVEL: 'debug',
      DOAAS_PUBLIC_URL: 'http://127.0.0.1:1',
    },
    files: (hosts) => ({
      'servers.yaml': serverYaml(hosts),
      'variables.yaml': JSON.stringify(VARIABLES),
      'app.env': TEMPLATE,
      'secrets/app.age': encrypted,
    }),
  }).catch(async (error: unknown) => {
    await clean();
    throw error;
  });
  const shown: Written[] = [];
  return {
    world,
    vault,
    folder,
    places,
    app: (more = {}, file = {}) =>
      configuration('app', {
        variables: DECLARED,
        files: { '/etc/app.env': { template: 'app.env', ...file } },
        ...more,
      }),
    onHost: async (script) => (await world.hosts[0]?.exec(script))?.stdout ?? '',
    apply: async (pull) => {
      await world.approve(pull);
      await world.say(pull, '/doaas apply');
    },
    temporal: (use) => withTemporal(world, use),
    keep: (where, text) => void shown.push({ where, bytes: Buffer.from(text) }),
    everythingWritten: async () => [...shown, ...(await writtenIn(world))],
    everySecret: async () => [
      ...Object.values(CANARY),
      ...Object.values(CANARY).map((value) => `${value}\n`),
      ...[CANARY.vault, CANARY.rotated].map(contentWith),
      vault.token,
      identity,
      SECRET,
      FINGERPRINT_KEY,
      ...(await credentialsOf(world)),
    ],
    close: async () => {
      await world.close();
      await clean();
    },
  };
}

async function withTemporal(world: World, use: (client: Client) => Promise<void>): Promise<void> {
  const address = /Temporal serves at ([\d.:]+)/.exec(world.engine.output())?.[1] ?? '';
  const connection = await Connection.connect({ address });
  try {
    await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

async function writtenIn({ engine, github, repo, dataDir }: World): Promise<readonly Written[]> {
  const written: Written[] = [];
  const keep = (where: string, text: string): void => {
    written.push({ where, bytes: Buffer.from(text) });
  };
  for (const pull of Array.from({ length: 40 }, (_, n) => n + 1)) {
    const head = await github.getPull(repo, pull).then(
      (found) => String((found.head as { sha?: string } | undefined)?.sha ?? ''),
      () => '',
    );
    if (head === '') continue;
    const checks = JSON.stringify(await github.listChecks(repo, head));
    keep(`checks of #${pull}`, checks);
    keep(`comments of #${pull}`, JSON.stringify(await github.listComments(repo, pull)));
    const link = /http:\/\/127\.0\.0\.1:1(\/plans\/[^\s")\\]+)/.exec(checks)?.[1];
    if (link !== undefined)
      keep(`plan page of #${pull}`, await (await fetch(`${engine.url()}${link}`)).text());
  }
  keep('metrics', await (await fetch(`${engine.url()}/metrics`)).text());
  keep('engine output', engine.output());
  return [...written, ...plansIn(join(dataDir, 'store.sqlite')), ...(await filesBelow(dataDir))];
}

async function credentialsOf({ github, hosts }: World): Promise<readonly string[]> {
  const lines = (pem: string) => pem.split('\n').filter((line) => line.length > 40);
  // the first line of an OpenSSH key is the same for all of them
  const ssh = lines(await readFile(hosts[0]?.privateKeyPath ?? '', 'utf8')).slice(1);
  return [...ssh, ...lines(github.app.privateKey), ...github.installationTokens()];
}
