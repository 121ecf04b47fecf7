import { branchTip } from '../github/pulls.ts';
import { coveredRepositories, defaultBranchOf, openPulls } from '../github/repositories.ts';
import { ensureSchedule, removeSchedule, scheduleIds } from '../temporal/schedules.ts';
import { adoptDrift } from './adopt.ts';
import { reportDrift } from './drift.ts';
import type { Engine } from './engine.ts';
import { refusalOnIssue } from './refusal.ts';
import { auditRequest } from './requests.ts';
import { signalPull, TASK_QUEUE } from './signalPull.ts';
import type { RepositoryActivities, RepositoryRef } from './types.ts';

const DRIFT = 'drift:';

/** What is done by the clock: finding what webhooks did not tell, and what changed on servers. */
export function clockActivities(engine: Engine): RepositoryActivities {
  return {
    knownRepositories: () => knownRepositories(engine),
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
    adoptDrift: (issue, request) => adoptDrift(engine, issue, request),
    reportDrift: (repository, tip, plan) => reportDrift(engine, repository, tip, plan),
  };
}

async function knownRepositories({ github, store }: Engine): Promise<readonly RepositoryRef[]> {
  const covered = await coveredRepositories(github);
  for (const { id, owner, name, defaultBranch, installationId } of covered)
    await store.repositories.save({
      id: String(id),
      owner,
      name,
      defaultBranch,
      installationId: String(installationId),
    });
  return covered.map(({ owner, name, installationId }) => ({ owner, name, installationId }));
}

async function scheduleDrift(
  { temporal, config: { driftMinutes } }: Engine,
  repositories: readonly RepositoryRef[],
): Promise<void> {
  const wanted = driftMinutes === 0 ? [] : repositories;
  const ids = new Set(wanted.map(driftScheduleId));
  for (const id of await scheduleIds(temporal, DRIFT)) if (!ids.has(id)) await removeSchedule(temporal, id);
  for (const repository of wanted)
    await ensureSchedule(temporal, {
      id: driftScheduleId(repository),
      workflowType: 'drift',
      taskQueue: TASK_QUEUE,
      args: [repository],
      everyMinutes: driftMinutes,
    });
}

export function driftScheduleId({ owner, name }: Pick<RepositoryRef, 'owner' | 'name'>): string {
  return `${DRIFT}${owner}/${name}`.toLowerCase();
}

/** A hint to look is enough: the workflow reads what is true. */
async function sweepPulls(engine: Engine, repository: RepositoryRef): Promise<readonly number[]> {
  const client = await engine.github.installationClient(repository.installationId);
  const [now, known] = await Promise.all([
    openPulls(client, repository),
    engine.store.pulls.open(`${repository.owner}/${repository.name}`),
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
