import { proxyActivities } from '@temporalio/workflow';
import type {
  DeploymentActivities,
  FleetActivities,
  PullActivities,
  RepositoryActivities,
  SecurityActivities,
  SiteActivities,
} from '../engine/activities/types.ts';

/**
 * Errors by `type`: these are permanent, trying again cannot help. All else (connection, rate limit, a store that is
 * full) is tried again without end: an outage costs time, never the run.
 */
const PERMANENT = [
  'permanent',
  'github-refused',
  'github-not-found',
  'credentials-unusable',
  'plan-missing',
  'store-bound',
];

/** Where nothing waits, a first 404 is enough. */
const NOT_WORTH_WAITING: string[] = [...PERMANENT, 'github-not-found-yet'];

/** Every activity heartbeats by itself; without a sign of life for this long its worker is taken for dead. */
const LIFE_SIGN = '15 seconds';

/** The activities give up on a host that stays away long before this (DOAAS_HOST_OUTAGE_SECONDS). */
const HOST_WORK_MAX = '3 hours';

const HOST_RETRY = {
  initialInterval: '1 second',
  maximumInterval: '10 seconds',
  nonRetryableErrorTypes: PERMANENT,
} as const;

/** How long each sort of activity may take, and how it is tried again. Without `scheduleToCloseTimeout` that has no end. */
export const POLICIES = {
  /** GitHub, git and store: short calls. */
  short: {
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: LIFE_SIGN,
    retry: {
      initialInterval: '500 milliseconds',
      maximumInterval: '30 seconds',
      nonRetryableErrorTypes: PERMANENT,
    },
  },
  /** Where a run is between its first effect and its end: nobody waits for it, so servers are not kept waiting while GitHub is away. */
  passing: {
    startToCloseTimeout: '10 seconds',
    heartbeatTimeout: LIFE_SIGN,
    scheduleToCloseTimeout: '10 seconds',
    retry: {
      initialInterval: '500 milliseconds',
      maximumInterval: '5 seconds',
      nonRetryableErrorTypes: NOT_WORTH_WAITING,
    },
  },
  /** What something else may not wait for: what comes after goes on without it. */
  bounded: {
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: LIFE_SIGN,
    scheduleToCloseTimeout: '3 minutes',
    retry: {
      initialInterval: '500 milliseconds',
      maximumInterval: '30 seconds',
      nonRetryableErrorTypes: PERMANENT,
    },
  },
  /** Reads many hosts; hosts that do not answer are results, not errors. */
  reading: {
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: LIFE_SIGN,
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: PERMANENT },
  },
  /** The same for the report of security, which somebody waits for, and of which there is one at a time. */
  reporting: {
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: LIFE_SIGN,
    scheduleToCloseTimeout: '3 hours',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: PERMANENT },
  },
  /** By the clock, which comes round again: its failure is noted, and the next reading does it anew. */
  publishing: {
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: LIFE_SIGN,
    scheduleToCloseTimeout: '20 minutes',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: PERMANENT },
  },
  /** Probes may take an hour, and hosts that do not answer are waited for as long as an apply waits. */
  verifying: {
    startToCloseTimeout: '2 hours',
    heartbeatTimeout: LIFE_SIGN,
    scheduleToCloseTimeout: HOST_WORK_MAX,
    retry: HOST_RETRY,
  },
  /** Follows effects on one host. A retry attaches to what runs there; it never starts an effect again. */
  onHost: {
    startToCloseTimeout: '2 hours',
    heartbeatTimeout: LIFE_SIGN,
    scheduleToCloseTimeout: HOST_WORK_MAX,
    retry: HOST_RETRY,
  },
  undoOnHost: {
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: LIFE_SIGN,
    scheduleToCloseTimeout: HOST_WORK_MAX,
    retry: HOST_RETRY,
  },
} as const;

type Short = PullActivities & DeploymentActivities & RepositoryActivities & SiteActivities;
type Undoing = Pick<DeploymentActivities, 'undoHost' | 'recoverRun' | 'cancelHost'>;

/**
 * What waits for servers has places of its own in each worker, so that nobody who asks for something, and no run that is to
 * stop, waits behind it. `engine/activities/queues.ts` names them the same way.
 */
export const QUEUES = { reading: 'doaas:reading', onHosts: 'doaas:hosts' } as const;

export const short = proxyActivities<Short>(POLICIES.short);
export const bounded = proxyActivities<Pick<Short, 'redeliverMissed' | 'endDeadRuns' | 'sweepPulls'>>(
  POLICIES.bounded,
);
export const passing = proxyActivities<Pick<Short, 'showRun' | 'answer'>>(POLICIES.passing);
export const reading = proxyActivities<Short & FleetActivities>({
  ...POLICIES.reading,
  taskQueue: QUEUES.reading,
});
export const reporting = proxyActivities<SecurityActivities>({
  ...POLICIES.reporting,
  taskQueue: QUEUES.reading,
});
export const publishing = proxyActivities<Pick<SecurityActivities, 'publishSecurity'>>({
  ...POLICIES.publishing,
  taskQueue: QUEUES.reading,
});
export const verifying = proxyActivities<Pick<DeploymentActivities, 'verifyHosts'>>({
  ...POLICIES.verifying,
  taskQueue: QUEUES.onHosts,
});
export const onHost = proxyActivities<Pick<DeploymentActivities, 'applyHost'>>({
  ...POLICIES.onHost,
  taskQueue: QUEUES.onHosts,
});
export const undoOnHost = proxyActivities<Pick<Undoing, 'undoHost' | 'recoverRun'>>({
  ...POLICIES.undoOnHost,
  taskQueue: QUEUES.onHosts,
});
export const stopOnHost = proxyActivities<Pick<Undoing, 'cancelHost'>>(POLICIES.undoOnHost);

/** Before anything is changed: then it is asked again whether anybody serves the site at all. */
const LOOK_AFTER = '20 seconds';

/** In the middle of a run a site's workers are waited for as long as a host (DOAAS_HOST_OUTAGE_SECONDS). Milliseconds. */
export const SITE_OUTAGE_MAX_MS = 20 * 60_000;

/** Of a site's workers; `siteQueue` of engine/activities/sites.ts names it the same way. */
function queueOf(site: string): string {
  return `doaas:site:${site}`;
}

/** The same as `reading`, on a worker of a site. */
export function readingAt(
  site: string,
): Pick<
  SiteActivities & FleetActivities & DeploymentActivities,
  'readSite' | 'readAdoption' | 'planFleet' | 'silentHosts' | 'confirmPlan'
> {
  return proxyActivities({
    ...POLICIES.reading,
    taskQueue: queueOf(site),
    scheduleToStartTimeout: LOOK_AFTER,
  });
}

/** The same as `reporting`, on a worker of a site. */
export function reportingAt(site: string): Pick<SecurityActivities, 'readSecurity'> {
  return proxyActivities({
    ...POLICIES.reporting,
    taskQueue: queueOf(site),
    scheduleToStartTimeout: LOOK_AFTER,
  });
}

/** The same as `onHost` and `verifying`, on a worker of a site. */
export function onHostAt(site: string): Pick<DeploymentActivities, 'applyHost' | 'verifyHosts'> {
  return proxyActivities({
    ...POLICIES.onHost,
    taskQueue: queueOf(site),
    scheduleToStartTimeout: SITE_OUTAGE_MAX_MS,
  });
}

export function undoOnHostAt(site: string): Undoing {
  return proxyActivities({
    ...POLICIES.undoOnHost,
    taskQueue: queueOf(site),
    scheduleToStartTimeout: SITE_OUTAGE_MAX_MS,
  });
}
