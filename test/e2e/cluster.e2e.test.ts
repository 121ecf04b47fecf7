import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../engine/store/store.ts';
import { type PostgresCluster, startCluster, whatIsMissing } from '../../engine/store/testing/postgres.ts';
import { startTemporal, type TemporalServer } from '../../engine/temporal/server.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { SECRET } from '../secret.ts';
import { databaseOf, filesBelow, placesOf } from '../secrets/search.ts';
import { MINUTES, until } from '../until.ts';
import { startWorkerProcess, type WorkerProcess } from '../worker.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Of the database. */
const PASSWORD = 'canary-database-2a6b';
/** Of a document, which only the workers are told. */
const TOKEN = 'canary-token-9c3e';
const VARIABLES = JSON.stringify({
  apiVersion: 'doaas/v1',
  kind: 'Variables',
  metadata: { name: 'app' },
  spec: {
    targets: { labels: { role: 'web' } },
    values: { token: { secretRef: { env: 'TOKEN' } } },
  },
});

const missing = whatIsMissing();
if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);

/** From one process to many without a code change: a Temporal of its own, PostgreSQL, one receiver, two workers. */
describe.skipIf(missing !== undefined)('a receiver and two workers', { timeout: 4 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  let postgres: PostgresCluster;
  let connection: Connection;
  const workers: WorkerProcess[] = [];
  const started: WorkerProcess[] = [];
  const closing: (() => Promise<unknown>)[] = [];
  let shared: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const temporal: TemporalServer = await startTemporal();
    closing.push(() => temporal.stop());
    postgres = await startCluster();
    closing.push(() => postgres.stop());
    shared = {
      TEMPORAL_ADDRESS: temporal.address,
      // it asks for none, and is told one
      DATABASE_URL: postgres.url.replace('postgres@', `postgres:${PASSWORD}@`),
      DOAAS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    };
    world = await startWorld({
      engine: 'process',
      environment: { ...shared, DOAAS_ROLE: 'receiver', DOAAS_SSH_KEY_FILE: '' },
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
    closing.push(() => world.close());
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
    for (let i = 0; i < 2; i++) {
      const worker = await startWorker();
      workers.push(worker);
      closing.push(worker.stop);
    }
    connection = await Connection.connect({ address: temporal.address });
    closing.push(() => connection.close());
  }, 4 * MINUTES);
  afterAll(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  }, MINUTES);

  const startWorker = async (): Promise<WorkerProcess> => {
    const worker = await startWorkerProcess({
      github: world.github,
      sshKeyFile: host.privateKeyPath,
      environment: { ...shared, DOAAS_ROLE: 'worker', DOAAS_SECRET_TOKEN: TOKEN },
    });
    started.push(worker);
    return worker;
  };

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const approved = async (name: string, file: string, more: Readonly<Record<string, string>> = {}) => {
    const { pull, sha } = await world.open(name, { [`${name}.yaml`]: file, ...more });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    return { pull, sha };
  };
  const mergedSoon = (pull: number, sha?: string) => world.mergedSoon(pull, sha, 120);

  it('bring a pull request from its opening to its merge', async () => {
    const variables = { token: { type: 'secret' } };
    const files = {
      '/etc/doaas-many': { content: 'said by many\n' },
      '/etc/doaas-token': { template: 'files/token', mode: '0600' },
    };
    const { pull, sha } = await approved('many', configuration('many', { variables, files }), {
      'variables.yaml': VARIABLES,
      'files/token': '{{token}}\n',
    });
    await mergedSoon(pull, sha);
    expect(await on('cat /etc/doaas-many /etc/doaas-token')).toBe(`said by many\n${TOKEN}`);
  });

  it('take a webhook while PostgreSQL restarts, and answer what it asks', async () => {
    const { pull, sha } = await world.open('restart', {
      'restart.yaml': configuration('restart', { files: { '/etc/doaas-restart': { content: 'x' } } }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.webhooks.settled();
    await postgres.crash();
    const restarting = postgres.start();
    const asked = await world.say(pull, '/doaas status');
    await restarting;
    expect(workers.filter((worker) => worker.hasEnded()).map((worker) => worker.output())).toEqual([]);
    await world.answer(pull, asked, /Nothing of this pull request has run yet/);
    const told = world.github.webhooks.all().filter(({ body }) => JSON.parse(body).comment?.id === asked);
    expect(told[0]?.attempts.map(({ status }) => status)).toEqual([202]);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are dumped while they run, and the restored store says the same', async () => {
    const { DATABASE_URL: url = '' } = shared;
    const copy = url.replace('/postgres?', '/restored?');
    const inStore = async (each: string) => {
      const store = await openStore({ url: each }, { readOnly: true });
      try {
        expect((await store.audit.verify()).brokenAt).toBeUndefined();
        return { audit: await store.audit.list({}), locks: await store.locks.list() };
      } finally {
        await store.close();
      }
    };
    // a run is merged a moment before it has ended
    await until(
      async () => ((await inStore(url)).audit.some(({ what }) => what === 'applied') ? true : undefined),
      'the end of the run before',
    );
    const dump = execFileSync('pg_dump', [url], { maxBuffer: 64 * 1024 * 1024 });
    execFileSync('psql', ['-q', url, '-c', 'create database restored']);
    execFileSync('psql', ['-q', '-v', 'ON_ERROR_STOP=1', copy], {
      input: dump,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    expect(await inStore(copy)).toEqual(await inStore(url));
  });

  it('lose nothing when the worker that follows a server is killed', async () => {
    const { pull, sha } = await approved(
      'survivor',
      configuration('survivor', {
        scripts: {
          survivor: {
            check: 'test -e /var/tmp/survivor.done',
            apply: 'echo begun >> /var/tmp/survivor.begun; sleep 5; echo done >> /var/tmp/survivor.done',
            undo: 'rm -f /var/tmp/survivor.*',
          },
        },
      }),
    );
    const busy = await until(async () => {
      if ((await on('[ -e /var/tmp/survivor.begun ] && echo yes')) !== 'yes') return undefined;
      const sessions = execFileSync('ss', ['-Htnp', 'state', 'established', 'dst', host.address], {
        encoding: 'utf8',
      });
      return workers.find((worker) => sessions.includes(`pid=${worker.pid},`));
    }, 'a worker to follow the effect');
    await busy.kill();
    await mergedSoon(pull, sha);
    expect(await on('cat /var/tmp/survivor.begun /var/tmp/survivor.done')).toBe('begun\ndone');
  });

  it('take webhooks while no worker runs, and a worker that starts hands them on', async () => {
    const { pull, sha } = await world.open('patient', {
      'patient.yaml': configuration('patient', { files: { '/etc/doaas-patient': { content: 'waited\n' } } }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    for (const worker of workers.splice(0)) await worker.stop();
    await world.github.webhooks.settled();
    const before = world.github.webhooks.all().length;
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await world.github.webhooks.settled();
    const unheard = world.github.webhooks.all().slice(before);
    expect(unheard.length).toBeGreaterThanOrEqual(2);
    expect(new Set(unheard.map(({ attempts }) => attempts[0]?.status))).toEqual(new Set([202]));
    const { url } = world.engine;
    expect(await (await fetch(`${url()}/readyz`)).json()).toEqual({
      status: 'ok',
      parts: { inbox: 'ok', store: 'ok' },
    });
    expect(await (await fetch(`${url()}/metrics`)).text()).toMatch(/^doaas_inbox_waiting [1-9]/m);
    const worker = await startWorker();
    workers.push(worker);
    closing.push(worker.stop);
    await mergedSoon(pull, sha);
  });

  it('tell Temporal nothing in plain text, nor what went wrong', async () => {
    // each call tries three times before its activity fails, which is then tried again
    const respond = { status: 502 };
    world.github.faults.add({ method: 'GET', path: /\/pulls\/\d+$/, times: 7, respond });
    const { sha } = await world.open('failing', { 'failing.yaml': configuration('failing', {}) });
    await world.check(sha, 'doaas/validate');
    const client = new Client({ connection });
    const secrets = [world.repo.name, 'many.yaml', '/etc/doaas-many', 'said by many', host.address];
    const found: string[] = [];
    const messages: string[] = [];
    let payloads = 0;
    for await (const { workflowId, runId } of client.workflow.list()) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      messages.push(...failuresOf(history));
      for (const { payload, temporals } of payloadsOf(history)) {
        payloads += 1;
        const encoding = Buffer.from(payload.metadata.encoding ?? []).toString();
        if (encoding !== 'binary/encrypted' && !temporals)
          found.push(`${workflowId}: a payload in ${encoding}`);
        const text = Buffer.from(payload.data).toString('latin1');
        // a schedule is named after its repository, as every workflow is
        const hidden = temporals ? secrets.filter((secret) => secret !== world.repo.name) : secrets;
        found.push(...hidden.filter((secret) => text.includes(secret)).map((s) => `${workflowId}: ${s}`));
      }
    }
    expect(found).toEqual([]);
    expect(messages).toContain('Encoded failure');
    expect(messages.filter((message) => /GitHub|pull request/i.test(message))).toEqual([]);
    expect(payloads).toBeGreaterThan(50);
  });

  it('write none of their credentials, also not into the database', async () => {
    const printed = [world.engine, ...started].map((each) => Buffer.from(each.output()));
    const written = [
      ...databaseOf({ url: shared.DATABASE_URL ?? '' }),
      ...printed.map((bytes) => ({ where: 'output', bytes })),
      ...(await filesBelow(world.dataDir)),
    ];
    expect(placesOf(['the engine is up', 'doaas-many'], written).join()).toMatch(/database.*output/s);
    const credentials = [PASSWORD, shared.DOAAS_ENCRYPTION_KEY ?? '', SECRET, TOKEN];
    expect(placesOf(credentials, written)).toEqual([]);
  });

  it('sent GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});

interface RawPayload {
  readonly metadata: Readonly<Record<string, Uint8Array>>;
  readonly data: Uint8Array;
}

interface FoundPayload {
  readonly payload: RawPayload;
  /** Temporal wrote it for itself: what it searches by, and the names of `patched` in its markers. */
  readonly temporals: boolean;
}

/** Every payload anywhere in a history, as it is stored. */
function payloadsOf(value: unknown, temporals = false): readonly FoundPayload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array)
    return [{ payload: value as unknown as RawPayload, temporals }];
  const own = temporals || ('markerName' in value && value.markerName === 'core_patch');
  return Object.entries(value).flatMap(([name, inner]) =>
    payloadsOf(inner, own || name === 'searchAttributes'),
  );
}

/** The message of every failure anywhere in a history, as it is stored. */
function failuresOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const own = 'message' in value && typeof value.message === 'string' ? [value.message] : [];
  return [...own, ...Object.values(value).flatMap(failuresOf)];
}
