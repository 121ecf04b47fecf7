import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { clockActivities } from './activities/clock.ts';
import { deliver } from './activities/deliver.ts';
import { deploymentActivities } from './activities/deployment.ts';
import { type Engine, trackerOf } from './activities/engine.ts';
import { bordered } from './activities/failure.ts';
import { inTurns } from './activities/inTurns.ts';
import { locate, located } from './activities/located.ts';
import { createMirrors } from './activities/mirrors.ts';
import { fleetActivities } from './activities/planFleet.ts';
import { pullActivities } from './activities/pull.ts';
import { siteActivities } from './activities/readSite.ts';
import { requestActivities } from './activities/requests.ts';
import { createRevisions } from './activities/revisions.ts';
import { withSeenKeys } from './activities/seenKeys.ts';
import { TASK_QUEUE } from './activities/signalPull.ts';
import { planPage } from './cli/planText.ts';
import { type Config, ConfigError, type Environment } from './config/config.ts';
import { type End, endAll } from './ending.ts';
import { appKeyFrom } from './github/appKey.ts';
import { createGitHub } from './github/client.ts';
import { recordName } from './github/workflowIds.ts';
import { authorityFrom, authorityProblem, type Credentials, keyProblem } from './hosts/credentials.ts';
import type { Transport } from './hosts/session.ts';
import { createTransport } from './hosts/transport.ts';
import { keepHouse } from './housekeeping.ts';
import { signedPlanPath } from './http/planLink.ts';
import { HAND_ON_MAX_MS, type Relay, type RelayOptions, startRelay } from './inbox/relay.ts';
import type { Logger } from './log.ts';
import { createEngineMetrics, type EngineMetrics } from './metrics.ts';
import type { ReceiverOrder } from './receiver/order.ts';
import { startReceiver } from './receiver/start.ts';
import { gitProcess } from './repository/gitProcess.ts';
import { newKey } from './secrets/fingerprintKey.ts';
import { secretsFrom } from './secrets/fromConfig.ts';
import { type Inbox, openInbox } from './store/inbox.ts';
import { openStore, type Store, type StoreLocation } from './store/store.ts';
import { registerStoreMetrics } from './storeMetrics.ts';
import { connectTemporal } from './temporal/client.ts';
import { ensureSchedule, removeSchedule, triggerSchedule } from './temporal/schedules.ts';
import { startTemporal, type TemporalServer } from './temporal/server.ts';
import { type AllActivities, type RunningWorker, startWorker } from './worker.ts';

/** What runs in this process, in the order in which it was started. */
export interface RunningEngine {
  /** `http://HOST:PORT`; undefined for a worker only. */
  readonly url: string | undefined;
  readonly store: Store;
  /** Undefined for a receiver only, which needs no Temporal. */
  readonly worker:
    | { readonly temporalAddress: string; readonly transport: Transport; readonly client: Client }
    | undefined;
  /** Rejects when a part fails for good. */
  readonly failed: Promise<never>;
  /** Ends all parts; `withinMs`: also those that hang. */
  readonly stop: (withinMs?: number) => Promise<void>;
}

/** Parts of this thread that `/readyz` asks for, by name. */
type Parts = Map<string, () => Promise<void>>;

const MIB = 1024 * 1024;
/** Receivers of other processes do not say that something came. */
const LOOK_EVERY_MS = 250;

/** Starts every part that the configuration asks for; what was started is stopped again when a later part fails. */
export async function startEngine(
  config: Config,
  log: Logger,
  environment: Environment = process.env,
): Promise<RunningEngine> {
  const stops: End[] = [];
  const stop: RunningEngine['stop'] = (withinMs) => endAll(stops, log, withinMs);
  try {
    return await start(config, log, environment, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  config: Config,
  log: Logger,
  environment: Environment,
  stops: End[],
  stop: RunningEngine['stop'],
): Promise<RunningEngine> {
  const credentials = await checkedCredentials(config);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const store = await openStore(locationOf(config, 'store'));
  stops.push(() => store.close());
  const endHousekeeping = keepHouse(store, log);
  stops.push(async () => endHousekeeping());
  const metrics = createEngineMetrics();
  registerStoreMetrics(metrics.registry, store);
  // first up and last down: a webhook needs nothing but the inbox
  const parts: Parts = new Map([['store', () => store.ping()]]);
  if (config.role === 'all') parts.set('temporal', () => Promise.reject(new Error('it is being started')));
  let relay: Relay | undefined;
  const receiver =
    config.role === 'worker' || config.role === 'site'
      ? undefined
      : await startReceiver(
          receiverOrder(config, [...parts.keys()]),
          receiverNeeds(store, metrics, parts, () => relay?.wake()),
          fail,
        );
  if (receiver !== undefined) stops.push(() => receiver.close());
  const common = { url: receiver?.url, store, failed, stop };
  if (config.role === 'receiver') return { ...common, worker: undefined };

  const embedded =
    config.temporalAddress === undefined ? await embeddedTemporal(config, log, fail) : undefined;
  if (embedded !== undefined) stops.push(() => embedded.stop());
  const temporalAddress = config.temporalAddress ?? embedded?.address ?? '';
  const client = await connectTemporal(config, temporalAddress, log);
  stops.push(() => client.connection.close());
  const transport = createTransport({ credentials });
  stops.push(() => transport.close());
  const keyFile = environment.GITHUB_APP_PRIVATE_KEY_FILE;
  const github = createGitHub(config, log, {
    key: appKeyFrom(config.githubPrivateKey, keyFile, log),
    pausesOf: store.pauses,
    onLimited: () => metrics.githubLimited.inc(),
    onFailed: (type) => metrics.githubFailed.inc({ type }),
  });
  const git = gitProcess();
  stops.push(() => git.close());
  const { dataDir, githubUrl } = config;
  const source = createMirrors({ dataDir, githubUrl, github, git: git.run });
  const engine: Engine = {
    config,
    store,
    transport,
    github,
    revisions: withSeenKeys(createRevisions(source), store),
    secrets: await secretsFrom(config, environment, () => store.keys.getOrMake('fingerprints', newKey)),
    tracker: trackerOf(config, log),
    temporal: client,
    log,
    planUrl: planUrlOf(config),
  };
  const worker: RunningWorker = await startWorker(config, temporalAddress, activitiesOf(engine), log);
  worker.done.catch(fail);
  stops.push(() => worker.stop());
  const parted = { ...common, worker: { temporalAddress, transport, client } };
  if (config.role === 'site') return parted;
  await startClock(config, client);
  const inbox = receiver?.inbox ?? (await sharedInbox(config, stops));
  relay = startRelay({ inbox, handOn: handOnWith(client, engine), log, metrics, lookEveryMs: LOOK_EVERY_MS });
  stops.push(relay.stop);
  parts.set('temporal', async () => {
    await client.workflowService.getSystemInfo({});
  });
  return parted;
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
  const activities: AllActivities = {
    ...inTurns(pullActivities(engine), ['planPull']),
    ...inTurns(requestActivities(engine)),
    ...deploymentActivities(engine),
    ...fleetActivities(engine),
    ...clockActivities(engine),
    ...siteActivities(engine),
  };
  return bordered(located(engine, activities));
}

function receiverOrder(config: Config, parts: readonly string[]): ReceiverOrder {
  const { host, port, logLevel, webhookSecret, webhookSecretPrevious } = config;
  const secrets =
    webhookSecretPrevious === undefined ? [webhookSecret] : [webhookSecret, webhookSecretPrevious];
  return {
    inbox: locationOf(config, 'inbox'),
    host,
    port,
    logLevel,
    secrets: secrets.map((each) => each.reveal()),
    appId: config.githubAppId,
    concurrency: config.webhookConcurrency,
    bodyLimitBytes: config.webhookBodyMib * MIB,
    plans: config.publicUrl !== undefined,
    parts,
  };
}

function receiverNeeds(store: Store, { registry }: EngineMetrics, parts: Parts, arrived: () => void) {
  return {
    arrived: async () => arrived(),
    planText: planTextIn(store),
    check: async (part: string) => parts.get(part)?.(),
    metrics: () => registry.metrics(),
  };
}

/** Temporal's own deadline ends a call that the relay has given up. */
function handOnWith(temporal: Client, { github, store }: Engine): RelayOptions['handOn'] {
  const engine = { store, github };
  return (event, guid, receivedAt) =>
    temporal.withDeadline(Date.now() + HAND_ON_MAX_MS, () =>
      deliver(
        {
          temporal,
          locate: (origin) => locate(engine, origin),
          pushed: store.pushes.add,
          headedBy: (repository, headSha) => store.pulls.headedBy(recordName(repository), headSha),
          receivedAt: github.timeOf(receivedAt),
          guid,
        },
        event,
      ),
    );
}

/** A worker without a receiver of its own finds what others received in PostgreSQL. */
async function sharedInbox(config: Config, stops: End[]): Promise<Inbox> {
  const inbox = await openInbox(locationOf(config, 'inbox'));
  stops.push(inbox.close);
  return inbox;
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

function locationOf({ databaseUrl, dataDir }: Config, name: 'store' | 'inbox'): StoreLocation {
  const url = databaseUrl?.reveal();
  return url === undefined ? { file: join(dataDir, `${name}.sqlite`) } : { url };
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

/** A key that cannot be used is named at start and not by the first plan. A receiver reaches no host. */
async function checkedCredentials(config: Config): Promise<Credentials> {
  const credentials = credentialsOf(config);
  if (config.role === 'receiver') return credentials;
  const problems = [
    ...named('DOAAS_SSH_KEY_FILE', await keyProblem(credentials)),
    ...named('DOAAS_SSH_CA_KEY_FILE', await authorityProblem(credentials)),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return credentials;
}

function named(setting: string, problem: string | undefined): readonly string[] {
  return problem === undefined ? [] : [`${setting}: ${problem}.`];
}

function credentialsOf(config: Config): Credentials {
  const { sshKeyFile, sshAuthSock, sshCaKeyFile, sshCertificateSources: sources } = config;
  return {
    kind: 'credentials',
    keys: sshKeyFile === undefined ? [] : [{ kind: 'key-file', path: sshKeyFile }],
    ...(sshAuthSock === undefined ? {} : { agentSocket: sshAuthSock }),
    ...(sshCaKeyFile === undefined ? {} : { authority: authorityFrom(sshCaKeyFile, sources) }),
  };
}
