import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import { clockActivities } from './activities/clock.ts';
import { deliver, TASK_QUEUE } from './activities/deliver.ts';
import { deploymentActivities } from './activities/deployment.ts';
import type { Engine } from './activities/engine.ts';
import { bordered } from './activities/failure.ts';
import { inTurns } from './activities/inTurns.ts';
import { createMirrors } from './activities/mirrors.ts';
import { fleetActivities } from './activities/planFleet.ts';
import { pullActivities } from './activities/pull.ts';
import { requestActivities } from './activities/requests.ts';
import { createRevisions } from './activities/revisions.ts';
import { planPage } from './cli/planText.ts';
import type { Config } from './config/config.ts';
import { createGitHub } from './github/client.ts';
import type { Credentials } from './hosts/credentials.ts';
import type { Transport } from './hosts/session.ts';
import { createTransport } from './hosts/transport.ts';
import { keepHouse } from './housekeeping.ts';
import { signedPlanPath } from './http/planLink.ts';
import { createServer } from './http/server.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { openStore, type Store } from './store/store.ts';
import { connectTemporal } from './temporal/client.ts';
import { ensureSchedule, removeSchedule, triggerSchedule } from './temporal/schedules.ts';
import { startTemporal, type TemporalServer } from './temporal/server.ts';
import { type AllActivities, type RunningWorker, startWorker } from './worker.ts';

/** What runs in this process, in the order in which it was started. */
export interface RunningEngine {
  /** `http://HOST:PORT`; undefined for a worker only. */
  readonly url: string | undefined;
  readonly temporalAddress: string;
  readonly transport: Transport;
  readonly store: Store;
  readonly client: Client;
  /** Rejects when a part fails for good. */
  readonly failed: Promise<never>;
  readonly stop: () => Promise<void>;
}

const MIB = 1024 * 1024;

/** Starts every part that the configuration asks for; what was started is stopped again when a later part fails. */
export async function startEngine(config: Config, log: Logger): Promise<RunningEngine> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) {
      await end().catch((error: unknown) => log.warn({ err: error }, 'a part did not stop cleanly'));
    }
  };
  try {
    return await start(config, log, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  config: Config,
  log: Logger,
  stops: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<RunningEngine> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const store = await openStore(storeLocation(config));
  stops.push(() => store.close());
  const endHousekeeping = keepHouse(store, log);
  stops.push(async () => endHousekeeping());
  const embedded =
    config.temporalAddress === undefined ? await embeddedTemporal(config, log, fail) : undefined;
  if (embedded !== undefined) stops.push(() => embedded.stop());
  const temporalAddress = config.temporalAddress ?? embedded?.address ?? '';
  const client = await connectTemporal(config, temporalAddress, log);
  stops.push(() => client.connection.close());
  const transport = createTransport({ credentials: credentialsOf(config) });
  stops.push(() => transport.close());
  const github = createGitHub(config, log);
  const source = createMirrors({ dataDir: config.dataDir, githubUrl: config.githubUrl, github });
  const engine: Engine = {
    config,
    store,
    transport,
    github,
    revisions: createRevisions(source),
    temporal: client,
    log,
    planUrl: planUrlOf(config),
  };
  if (config.role !== 'receiver') {
    const worker: RunningWorker = await startWorker(config, temporalAddress, activitiesOf(engine), log);
    worker.done.catch(fail);
    stops.push(() => worker.stop());
    await startClock(config, client);
  }
  let url: string | undefined;
  if (config.role !== 'worker') {
    const server = await receiver(config, engine, client, log);
    stops.push(() => server.close());
    url = await server.listen({ host: config.host, port: config.port });
  }
  return { url, temporalAddress, transport, store, client, failed, stop };
}

const SWEEP = 'sweep';

/** An engine that comes back looks at once for what it missed; a new one has missed nothing. */
async function startClock({ sweepMinutes }: Config, client: Client): Promise<void> {
  if (sweepMinutes === 0) return removeSchedule(client, SWEEP);
  const clockwork = { workflowType: SWEEP, taskQueue: TASK_QUEUE, args: [], everyMinutes: sweepMinutes };
  const isNew = await ensureSchedule(client, { id: SWEEP, ...clockwork });
  if (!isNew) await triggerSchedule(client, SWEEP);
}

function activitiesOf(engine: Engine): AllActivities {
  return bordered({
    ...inTurns(pullActivities(engine), ['planPull']),
    ...inTurns(requestActivities(engine)),
    ...deploymentActivities(engine),
    ...fleetActivities(engine),
    ...clockActivities(engine),
  });
}

async function receiver(
  config: Config,
  engine: Engine,
  client: Client,
  log: Logger,
): Promise<FastifyInstance> {
  const { webhookSecret, webhookSecretPrevious, botName } = config;
  const delivery = { temporal: client, botName, installationOf: engine.github.installationOf, now: Date.now };
  return createServer({
    log,
    metrics: createMetrics(),
    secrets: webhookSecretPrevious === undefined ? [webhookSecret] : [webhookSecret, webhookSecretPrevious],
    appId: config.githubAppId,
    deliver: (event, guid) => deliver({ ...delivery, guid }, event),
    concurrency: config.webhookConcurrency,
    bodyLimitBytes: config.webhookBodyMib * MIB,
    ...(config.publicUrl === undefined ? {} : { plans: { text: planTextIn(engine.store), now: Date.now } }),
    readiness: {
      store: () => engine.store.ping(),
      temporal: async () => {
        await client.workflowService.getSystemInfo({});
      },
    },
  });
}

/** Without a public URL nobody could follow a link. */
function planUrlOf({ publicUrl, webhookSecret }: Config): Engine['planUrl'] {
  if (publicUrl === undefined) return () => undefined;
  return (digest) => `${publicUrl}${signedPlanPath(digest, webhookSecret, Date.now())}`;
}

function planTextIn({ plans }: Store) {
  return async (digest: string): Promise<string | undefined> => {
    const plan = await plans.get(digest);
    return plan && planPage(plan, await plans.uses(digest), (_, text) => text);
  };
}

function storeLocation(config: Config): { readonly url: string } | { readonly file: string } {
  const url = config.databaseUrl?.reveal();
  return url === undefined ? { file: join(config.dataDir, 'store.sqlite') } : { url };
}

function embeddedTemporal(
  config: Config,
  log: Logger,
  fail: (error: Error) => void,
): Promise<TemporalServer> {
  return startTemporal({
    databaseFile: join(config.dataDir, 'temporal.sqlite'),
    ...(config.temporalCli === undefined ? {} : { cli: config.temporalCli }),
    ...(config.cacheDir === undefined ? {} : { cacheDir: config.cacheDir }),
    progress: (line) => log.info(line),
    onDeath: fail,
  });
}

function credentialsOf(config: Config): Credentials {
  const { sshKeyFile, sshAuthSock } = config;
  return {
    kind: 'credentials',
    keys: sshKeyFile === undefined ? [] : [{ kind: 'key-file', path: sshKeyFile }],
    ...(sshAuthSock === undefined ? {} : { agentSocket: sshAuthSock }),
  };
}
