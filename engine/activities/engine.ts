import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { createTracker, type Tracker } from '../advisories/tracker.ts';
import type { Config } from '../config/config.ts';
import type { GitHub } from '../github/client.ts';
import type { PlanName } from '../github/render/views.ts';
import type { Transport } from '../hosts/session.ts';
import type { Logger } from '../log.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Store } from '../store/store.ts';
import type { Revisions } from './revisions.ts';

/** The parts that activities are bound to; made once in main.ts. */
export interface Engine {
  readonly config: Pick<
    Config,
    'publicUrl' | 'hostOutageSeconds' | 'confirmSeconds' | 'cancelDecisionSeconds' | 'driftMinutes' | 'sites'
  >;
  readonly store: Store;
  readonly transport: Transport;
  readonly github: GitHub;
  readonly revisions: Revisions;
  readonly secrets: Secrets;
  readonly tracker: Tracker;
  readonly temporal: Pick<Client, 'workflow' | 'schedule' | 'workflowService' | 'options'>;
  readonly log: Logger;
  /** A signed link to a whole plan; undefined without a public URL. */
  readonly planUrl: (digest: string) => string | undefined;
}

/** Debian's security tracker, for reports and for plans. */
export function trackerOf({ cveUrl: url, dataDir }: Config, log: Logger): Tracker {
  return createTracker({
    url,
    folder: join(dataDir, 'advisories'),
    failed: (reason) => log.warn({ reason }, 'the list of vulnerabilities could not be had'),
  });
}

export function planNamed(
  engine: Pick<Engine, 'planUrl'>,
  plan: Pick<PlanName, 'digest' | 'headSha' | 'baseSha'>,
): PlanName {
  const url = engine.planUrl(plan.digest);
  const { digest, headSha, baseSha } = plan;
  return { digest, headSha, baseSha, ...(url === undefined ? {} : { url }) };
}
