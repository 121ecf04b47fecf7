import { setTimeout as pause } from 'node:timers/promises';
import { byResource, type DriftedItem, type DriftedResource } from '../drift/resources.ts';
import type { GitHubClient } from '../github/client.ts';
import { isRefused } from '../github/errors.ts';
import { closeIssue, isPublished, type OwnIssue, publishIssue } from '../github/issues.ts';
import { render } from '../github/render/render.ts';
import type { DriftView } from '../github/render/views.ts';
import { isOngoing } from '../kinds/registry.ts';
import type { Logger } from '../log.ts';
import type { Held } from '../store/alone.ts';
import type { Decision } from './correction.ts';
import { NO_PULL } from './planRef.ts';
import type { BranchTip, RepositoryRef } from './types.ts';

export const DRIFT_KEY = 'drift:';

/** Opened by one reading; nobody reads more, and the next goes on. */
const OPENED_MAX = 20;

/** For what people wait for to leave something of GitHub's limits. Milliseconds. */
const SPARE_WAIT_MAX_MS = 120_000;
const LOOK_EVERY_MS = 2_000;

/** One reading of a repository's servers, to be told on its issues. */
export interface Reading {
  readonly repository: RepositoryRef;
  readonly tip: BranchTip;
  /** Of the whole plan. */
  readonly digest: string;
  readonly items: readonly DriftedItem[];
  readonly decisions: readonly Decision[];
  /** Open issues about drift. */
  readonly open: readonly OwnIssue[];
  /** Asked before each change of an issue. */
  readonly held: Held;
}

/**
 * Opens, edits and closes them as far as the limits of GitHub leave something beside what people wait for. What is left
 * is done by the next reading. Numbers of the issues that are open now, by document; `NO_PULL` where the repository takes none,
 * because its issues are disabled, or the App may not write them: what is corrected does not depend on them.
 */
export async function publishDrift(
  client: GitHubClient,
  log: Logger,
  reading: Reading,
  waitMaxMs = SPARE_WAIT_MAX_MS,
): Promise<ReadonlyMap<string, number>> {
  const { repository, open, held } = reading;
  const resources = byResource(reading.items);
  const known = new Map(open.map((issue) => [issue.key, issue.number]));
  const opened = resources.filter(({ document }) => !known.has(keyOf(document)));
  const unopened = Math.max(0, opened.length - OPENED_MAX);
  const last = opened[OPENED_MAX - 1];
  const skipped = new Set<DriftedResource>(opened.slice(OPENED_MAX));
  const numbers = new Map<string, number>();
  const spare = spareUntil(client, performance.now() + waitMaxMs);
  let left = 0;
  let refused: unknown;
  for (const resource of resources) {
    const { document } = resource;
    const number = known.get(keyOf(document));
    if (number !== undefined) numbers.set(document, number);
    const issue = issueOf(reading, resource, resource === last ? unopened : 0);
    if (isPublished(issue, open)) continue;
    if (refused !== undefined && number === undefined) numbers.set(document, NO_PULL);
    else if (skipped.has(resource) || !(await spare())) left += 1;
    else {
      await held();
      try {
        numbers.set(document, await publishIssue(client, repository, issue, open));
      } catch (error) {
        if (!isRefused(error)) throw error;
        refused = error;
        numbers.set(document, number ?? NO_PULL);
      }
    }
  }
  if (refused !== undefined)
    log.warn(
      { repository: repository.name, reason: String(refused) },
      'GitHub takes no issue about drift: enable Issues in the settings of the repository, and let the App write them (docs/github-app.md). Corrections go on',
    );
  const keys = new Set(resources.map(({ document }) => keyOf(document)));
  for (const issue of open.filter((each) => !keys.has(each.key)))
    if (!(await spare())) left += 1;
    else {
      await held();
      await closeIssue(client, repository, issue.number, 'The servers are as the default branch says again.');
    }
  if (left > 0)
    log.warn(
      { repository: repository.name, left },
      'issues about drift that the next reading brings up to date',
    );
  return numbers;
}

/** Waits for it, over all that is asked, no longer than until `deadline`. */
function spareUntil({ spare }: GitHubClient, deadline: number): () => Promise<boolean> {
  return async () => {
    while (!spare()) {
      if (performance.now() >= deadline) return false;
      await pause(LOOK_EVERY_MS);
    }
    return true;
  };
}

function keyOf(document: string): string {
  return `${DRIFT_KEY}${document}`;
}

function issueOf({ tip, digest, decisions }: Reading, resource: DriftedResource, unopened: number) {
  const { branch, commit } = tip;
  const correction = correctionView(decisions.find(({ document }) => document === resource.document));
  const more = {
    ...(unopened > 0 ? { unopened } : {}),
    ...(isOngoing(resource.document) ? { ongoing: true as const } : {}),
  };
  const { title, body } = render({ kind: 'drift', ...resource, branch, commit, ...correction, ...more });
  return { key: keyOf(resource.document), title, body, digest };
}

function correctionView(decision: Decision | undefined): Pick<DriftView, 'correction'> {
  if (decision === undefined) return {};
  const { plan, left, hindrance } = decision;
  const hosts = plan?.hosts.map(({ host }) => host) ?? [];
  return { correction: { hosts, left, ...(hindrance === undefined ? {} : { hindrance }) } };
}
