import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  GracefulShutdownPeriodExpiredError,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { HOSTS_QUEUE, READING_QUEUE } from './activities/queues.ts';
import { TASK_QUEUE } from './activities/signalPull.ts';
import { siteQueue } from './activities/sites.ts';
import type {
  DeploymentActivities,
  FleetActivities,
  PullActivities,
  RepositoryActivities,
  SiteActivities,
} from './activities/types.ts';
import type { Config } from './config/config.ts';
import type { Logger } from './log.ts';
import { connectionOptions, dataConverter, FAILURE_CONVERTER } from './temporal/client.ts';

/** Idle workflows kept in memory; others are replayed when something happens to them. */
const CACHED_WORKFLOWS_MAX = 100;

/** Of each of the worker's queues. */
const ACTIVITIES_AT_ONCE = 60;

/**
 * Each holds the desired state of a whole repository, twice, until its servers have answered. Others wait in Temporal's
 * queue, where a worker that has a place takes them.
 */
export const READINGS_AT_ONCE = 12;

/**
 * Signs of life (engine/activities/failure.ts) are sent as often as they are given. By default the last fifth of the time limit is all
 * that is left for one to arrive: 3 s, which a busy machine is late by, and then another worker does the same once more. Cancelled
 * activities hear of it with the answer.
 */
export const SIGN_EVERY = '4 seconds';

/** They all run in one thread, and each writes to Temporal's database, for which webhooks wait as well. */
const WORKFLOW_TASKS_AT_ONCE = 4;

/**
 * By default code of a workflow that computes for 5 s is cut off, for it may never end. Where a promise of it goes on at that moment, Node ends the
 * whole process ("async hook stack has become corrupted", https://github.com/temporalio/sdk-typescript/issues/939); and on a busy machine
 * a long history takes that long to replay. Ours ends.
 */
const WORKFLOW_CODE_TIMEOUT = '10 minutes';

/** A running worker is told to stop and given this long to finish activities, which are resumable anyway. */
const SHUTDOWN_GRACE = '5 seconds';

/**
 * What goes on all the same, such as a reading, which a server may keep waiting for two minutes, is left then, and Temporal hears nothing of
 * how it ends: another worker does it once more. A little after the grace, for what hears that it is cancelled.
 */
const SHUTDOWN_FORCE = '7 seconds';

const WORKFLOWS = fileURLToPath(new URL('../workflows/all.ts', import.meta.url));

/** Written by scripts/bundle.ts; saves 1.2 s and 100 MB at start. */
export const BUNDLE = fileURLToPath(new URL('../dist/workflows.js', import.meta.url));

export type AllActivities = PullActivities &
  DeploymentActivities &
  FleetActivities &
  RepositoryActivities &
  SiteActivities;

export interface RunningWorker {
  /** Rejects when the worker fails for good. */
  readonly done: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a worker on the engine's queue, or one on that of each of its sites. `address`: HOST:PORT of Temporal. */
export async function startWorker(
  config: Config,
  address: string,
  activities: AllActivities,
  log: Logger,
): Promise<RunningWorker> {
  installLogger(log);
  const connection = await NativeConnection.connect(await connectionOptions(config, address));
  const converter = dataConverter(config);
  const common = {
    connection,
    namespace: config.temporalNamespace,
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    maxHeartbeatThrottleInterval: SIGN_EVERY,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
    ...(converter === undefined ? {} : { dataConverter: converter }),
  };
  const own =
    config.role === 'site'
      ? (config.sites ?? []).map((site) => ({ taskQueue: siteQueue(site), activities: onHosts(activities) }))
      : engineQueues(activities, await workflowPart());
  const workers = await Promise.all(own.map((each) => Worker.create({ ...common, ...each })));
  return running(workers, connection);
}

async function workflowPart() {
  return {
    taskQueue: TASK_QUEUE,
    workflowBundle: await workflowBundle(),
    maxCachedWorkflows: CACHED_WORKFLOWS_MAX,
    maxConcurrentWorkflowTaskExecutions: WORKFLOW_TASKS_AT_ONCE,
    reuseV8Context: true,
    isolateExecutionTimeout: WORKFLOW_CODE_TIMEOUT,
  };
}

/** All of them know every activity: those that an older engine has asked for are on the first one. */
function engineQueues(activities: AllActivities, workflows: Awaited<ReturnType<typeof workflowPart>>) {
  const all = { ...activities };
  return [
    { ...workflows, activities: all },
    { taskQueue: READING_QUEUE, activities: all, maxConcurrentActivityTaskExecutions: READINGS_AT_ONCE },
    { taskQueue: HOSTS_QUEUE, activities: all },
  ];
}

/** What the workers of a site do: whatever needs its hosts, and nothing else. */
function onHosts(activities: AllActivities): Partial<AllActivities> {
  const { readSite, readAdoption, planFleet, confirmPlan, readSecurity, silentHosts } = activities;
  const { applyHost, cancelHost, verifyHosts, undoHost, recoverRun } = activities;
  const reading = { readSite, readAdoption, planFleet, confirmPlan, readSecurity, silentHosts };
  return { ...reading, applyHost, cancelHost, verifyHosts, undoHost, recoverRun };
}

/** When one fails for good the others are stopped, so that the process ends and is started again. */
function running(workers: readonly Worker[], connection: NativeConnection): RunningWorker {
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const all = workers.map((worker) => worker.run().finally(shutdown));
  const done = Promise.allSettled(all)
    .then(() => Promise.all(all))
    .then(() => undefined)
    .finally(() => connection.close());
  return {
    done,
    stop: async () => {
      shutdown();
      await done.catch(() => undefined);
    },
  };
}

async function workflowBundle(): Promise<{ readonly code: string }> {
  if (existsSync(BUNDLE)) return { code: await readFile(BUNDLE, 'utf8') };
  return bundleWorkflowCode(bundleOptions(WORKFLOWS));
}

/**
 * `workflowsPath`: the module of all workflows. None of its modules keeps state of its own, so all workflows of a worker share them,
 * instead of one copy each: less memory for each that is kept, and a sixth less time for each that is replayed.
 */
export function bundleOptions(workflowsPath: string) {
  return { workflowsPath, preloadModules: [workflowsPath], failureConverterPath: FAILURE_CONVERTER };
}

/** What the SDK says of queues that have activities only, as they are meant to. */
const WITHOUT_WORKFLOWS = 'No workflows registered, not polling for workflow tasks';

let installed = false;

/** Temporal's runtime is one a process. */
function installLogger(log: Logger): void {
  if (installed) return;
  installed = true;
  const logger = new DefaultLogger('WARN', ({ level, message, meta }) => {
    if (message === WITHOUT_WORKFLOWS) return;
    if (meta?.error instanceof GracefulShutdownPeriodExpiredError)
      return log.warn(
        { queue: meta.taskQueue },
        'what did not end in time is left, and done once more later',
      );
    if (level === 'ERROR') log.error({ temporal: meta }, message);
    else log.warn({ temporal: meta }, message);
  });
  Runtime.install({ logger, shutdownSignals: [] });
}
