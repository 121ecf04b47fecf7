import { Context } from '@temporalio/activity';
import { branchTip } from '../github/pulls.ts';
import { coveredRepositories, defaultBranchOf, openPulls } from '../github/repositories.ts';
import { recordName } from '../github/workflowIds.ts';
import { alone } from '../store/alone.ts';
import type { RepositoryRecord } from '../store/repositories.ts';
import { ensureSchedule, removeSchedule, scheduleIds } from '../temporal/schedules.ts';
import { adoptDrift, adoptWithSites } from './adopt.ts';
import { cancelCorrection } from './cancelCorrection.ts';
import { endDeadRuns } from './deadRuns.ts';
import { reportDrift } from './drift.ts';
import type { Engine } from './engine.ts';
import { refOf } from './located.ts';
import { refusalOnIssue } from './refusal.ts';
import { auditRequest } from './requests.ts';
import { signalPull, TASK_QUEUE } from './signalPull.ts';
import type { PullRef, RepositoryActivities, RepositoryRef } from './types.ts';
import { showUnshown } from './unshown.ts';

const DRIFT = 'drift:';

/** What is done by the clock: finding what webhooks did not tell, and what changed on servers. */
export function clockActivities(engine: Engine): RepositoryActivities {
  return {
    endDeadRuns: () => endDeadRuns(engine),
    knownRepositories: () =>
      knownRepositories(engine, (pull) => signalPull(engine.temporal, pull, { kind: 'changed' })),
    scheduleDrift: (repositories) => scheduleDrift(engine, repositories),
    redeliverMissed: () => engine.github.redeliverMissed(Date.now()),
    sweepPulls: (repository) => sweepPulls(engine, repository),
    defaultBranchTip: async (repository) => {
      const client = await engine.github.installationClient(repository.installationId);
      const branch = await defaultBranchOf(client, repository);
      return { branch, commit: await branchTip(client, repository, branch), at: Date.now() };
    },
    refusalOnIssue: async (issue, request) => {
      const client = await engine.github.installationClient(issue.repository.installationId);
      const reason = await refusalOnIssue(engine, client, issue, request);
      await auditRequest(engine, issue, request, reason);
      return reason;
    },
    adoptDrift: (issue, request, bySites) => adoptDrift(engine, issue, request, bySites),
    adoptWithSites: (issue, request, reading, parts) =>
      adoptWithSites(engine, issue, request, reading, parts),
    cancelCorrection: (issue, request, keep) => cancelCorrection(engine, issue, request, keep),
    // that of a window may come beside that of the schedule: each looks for the issues that are open before it opens any
    reportDrift: (repository, tip, plan) =>
      alone(
        engine.store.leases,
        `drift ${recordName(repository)}`,
        Context.current().cancellationSignal,
        (held) => reportDrift(engine, repository, tip, plan, held),
      ),
  };
}

/** `look`: has a pull request looked at once more. Repositories of which GitHub says nothing now come last, as they were. */
export async function knownRepositories(
  engine: Pick<Engine, 'store' | 'github' | 'log'>,
  look: (pull: PullRef) => Promise<void>,
): Promise<readonly RepositoryRef[]> {
  const { repositories: covered, unread } = await coveredRepositories(engine.github);
  for (const { installationId, reason } of unread)
    engine.log.warn(
      { installationId, reason: String(reason) },
      'the repositories of an installation could not be read; they stay as they were until the next sweep',
    );
  if (covered.length > 0 || unread.length === 0) await engine.store.moments.note('swept');
  const reached = new Set(covered.map(({ id }) => String(id)));
  const silent = new Set(unread.map(({ installationId }) => String(installationId)));
  const kept = [];
  for (const known of await engine.store.repositories.list()) {
    if (known.installationId === null || reached.has(known.id)) continue;
    if (silent.has(known.installationId)) kept.push(refOf(known));
    else await lose(engine, known, look);
  }
  const saved = [];
  for (const { id, owner, name, defaultBranch, installationId, archived } of covered) {
    const seen = { id: String(id), owner, name, defaultBranch, installationId: String(installationId) };
    const record = await engine.store.repositories.save(seen);
    if (!archived) saved.push(refOf(record));
  }
  return [...saved, ...kept];
}

/** Deleted, uninstalled or suspended. Its pull requests look once more, and end where there is nothing to see; how secure its servers were is told nobody any more. */
async function lose(
  { store }: Pick<Engine, 'store'>,
  known: RepositoryRecord,
  look: (pull: PullRef) => Promise<void>,
): Promise<void> {
  const repository = refOf(known);
  for (const { number } of await store.pulls.open(known.knownAs)) await look({ repository, number });
  await store.securityHosts.forget(known.knownAs);
  await store.repositories.save({ ...known, installationId: null });
}

async function scheduleDrift(
  { temporal, store, config: { driftMinutes } }: Engine,
  repositories: readonly RepositoryRef[],
): Promise<void> {
  const wanted = driftMinutes === 0 ? [] : repositories;
  const ids = new Set(wanted.map(driftScheduleId));
  for (const id of await scheduleIds(temporal, DRIFT)) {
    if (!ids.has(id)) await removeSchedule(temporal, id);
  }
  await store.drift.readOnly(wanted.map(recordName));
  for (const repository of wanted)
    await ensureSchedule(temporal, {
      id: driftScheduleId(repository),
      workflowType: 'drift',
      taskQueue: TASK_QUEUE,
      args: [repository],
      everyMinutes: driftMinutes,
    });
}

export function driftScheduleId(repository: Omit<RepositoryRef, 'installationId'>): string {
  return `${DRIFT}${recordName(repository)}`.toLowerCase();
}

/** A hint to look is enough: the workflow reads what is true. */
async function sweepPulls(engine: Engine, repository: RepositoryRef): Promise<readonly number[]> {
  const client = await engine.github.installationClient(repository.installationId);
  const [now, known] = await Promise.all([
    openPulls(client, repository),
    engine.store.pulls.open(recordName(repository)),
    showUnshown(engine, repository),
  ]);
  const heads = new Map(known.map((pull) => [pull.number, pull.headSha]));
  const open = new Set(now.map((pull) => pull.number));
  const missed = [
    ...now.filter((pull) => heads.get(pull.number) !== pull.headSha).map((pull) => pull.number),
    ...known.filter((pull) => !open.has(pull.number)).map((pull) => pull.number),
  ];
  for (const number of missed) await signalPull(engine.temporal, { repository, number }, { kind: 'changed' });
  return missed;
}
