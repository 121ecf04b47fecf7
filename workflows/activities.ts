import { proxyActivities } from '@temporalio/workflow';
import type {
  DeploymentActivities,
  FleetActivities,
  PullActivities,
  RepositoryActivities,
  SiteActivities,
} from '../engine/activities/types.ts';

/**
 * Errors by `type`: these are permanent, trying again cannot help. All else (connection, rate limit, a store that is
 * full) is tried again without end: an outage costs time, never the run.
 */
const PERMANENT = ['permanent', 'github-refused', 'github-not-found', 'credentials-unusable', 'plan-missing'];

/** Every activity heartbeats by itself; without a sign of life for this long its worker is taken for dead. */
const LIFE_SIGN = '15 seconds';

/** GitHub, git and store: short calls. */
export const short = proxyActivities<
  PullActivities & DeploymentActivities & RepositoryActivities & SiteActivities
>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: LIFE_SIGN,
  retry: {
    initialInterval: '500 milliseconds',
    maximumInterval: '30 seconds',
    nonRetryableErrorTypes: PERMANENT,
  },
});

const READING = {
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: LIFE_SIGN,
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: PERMANENT },
} as const;

/** Reads many hosts; hosts that do not answer are results, not errors. */
export const reading = proxyActivities<
  PullActivities & DeploymentActivities & FleetActivities & RepositoryActivities
>(READING);

/** Before anything is changed: then it is asked again whether anybody serves the site at all. */
const LOOK_AFTER = '20 seconds';

/** In the middle of a run a site's workers are waited for as long as a host (DOAAS_HOST_OUTAGE_SECONDS). */
const SITE_OUTAGE_MAX = '20 minutes';

/** Of a site's workers; `siteQueue` of engine/activities/sites.ts names it the same way. */
function queueOf(site: string): string {
  return `doaas:site:${site}`;
}

/** The same as `reading`, on a worker of a site. */
export function readingAt(
  site: string,
): Pick<SiteActivities & FleetActivities & DeploymentActivities, 'readSite' | 'planFleet' | 'silentHosts'> {
  return proxyActivities({ ...READING, taskQueue: queueOf(site), scheduleToStartTimeout: LOOK_AFTER });
}

/** The activities give up on a host that stays away long before this (DOAAS_HOST_OUTAGE_SECONDS). */
const HOST_WORK_MAX = '3 hours';

const ON_HOST = {
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: LIFE_SIGN,
  scheduleToCloseTimeout: HOST_WORK_MAX,
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', nonRetryableErrorTypes: PERMANENT },
} as const;

/** Probes may take an hour, and hosts that do not answer are waited for as long as an apply waits. */
export const verifying = proxyActivities<Pick<DeploymentActivities, 'verifyHosts'>>(ON_HOST);

/** Follows effects on one host. A retry attaches to what runs there; it never starts an effect again. */
export const onHost = proxyActivities<Pick<DeploymentActivities, 'applyHost'>>(ON_HOST);

type Undoing = Pick<DeploymentActivities, 'undoHost' | 'recoverRun' | 'cancelHost'>;

const UNDO = { ...ON_HOST, startToCloseTimeout: '1 hour' } as const;

export const undoOnHost = proxyActivities<Undoing>(UNDO);

/** The same as `onHost` and `verifying`, on a worker of a site. */
export function onHostAt(site: string): Pick<DeploymentActivities, 'applyHost' | 'verifyHosts'> {
  return proxyActivities({ ...ON_HOST, taskQueue: queueOf(site), scheduleToStartTimeout: SITE_OUTAGE_MAX });
}

export function undoOnHostAt(site: string): Undoing {
  return proxyActivities({ ...UNDO, taskQueue: queueOf(site), scheduleToStartTimeout: SITE_OUTAGE_MAX });
}
