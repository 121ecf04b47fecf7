import { proxyActivities } from '@temporalio/workflow';
import type {
  DeploymentActivities,
  FleetActivities,
  PullActivities,
  RepositoryActivities,
} from '../engine/activities/types.ts';

/**
 * Errors by `type`: these are permanent, trying again cannot help. All else (connection, rate limit, a store that is
 * full) is tried again without end: an outage costs time, never the run.
 */
const PERMANENT = ['permanent', 'github-refused', 'github-not-found', 'credentials-unusable', 'plan-missing'];

/** Every activity heartbeats by itself; without a sign of life for this long its worker is taken for dead. */
const LIFE_SIGN = '15 seconds';

/** GitHub, git and store: short calls. */
export const short = proxyActivities<PullActivities & DeploymentActivities & RepositoryActivities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: LIFE_SIGN,
  retry: {
    initialInterval: '500 milliseconds',
    maximumInterval: '30 seconds',
    nonRetryableErrorTypes: PERMANENT,
  },
});

/** Reads many hosts; hosts that do not answer are results, not errors. */
export const reading = proxyActivities<
  PullActivities & DeploymentActivities & FleetActivities & RepositoryActivities
>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: LIFE_SIGN,
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: PERMANENT },
});

/** The activities give up on a host that stays away long before this (DOAAS_HOST_OUTAGE_SECONDS). */
const HOST_WORK_MAX = '3 hours';

/** Probes may take an hour, and hosts that do not answer are waited for as long as an apply waits. */
export const verifying = proxyActivities<Pick<DeploymentActivities, 'verifyHosts'>>({
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: LIFE_SIGN,
  scheduleToCloseTimeout: HOST_WORK_MAX,
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', nonRetryableErrorTypes: PERMANENT },
});

/** Follows effects on one host. A retry attaches to what runs there; it never starts an effect again. */
export const onHost = proxyActivities<Pick<DeploymentActivities, 'applyHost'>>({
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: LIFE_SIGN,
  scheduleToCloseTimeout: HOST_WORK_MAX,
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', nonRetryableErrorTypes: PERMANENT },
});

export const undoOnHost = proxyActivities<
  Pick<DeploymentActivities, 'undoHost' | 'recoverRun' | 'cancelHost'>
>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: LIFE_SIGN,
  scheduleToCloseTimeout: HOST_WORK_MAX,
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', nonRetryableErrorTypes: PERMANENT },
});
