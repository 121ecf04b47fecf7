import { type Account, type Accounts, QUEUE_LOGIN } from './accounts.ts';
import type { Acting, RepositoryName } from './acting.ts';
import { answer, ok } from './answers.ts';
import { announce, senderOf } from './changes.ts';
import type { ApiAnswer, LabContext } from './context.ts';
import { gitOutput } from './git.ts';
import { callJson } from './internal.ts';
import { baseTip, makeMerge } from './merges.ts';
import { importFromGit } from './mirror.ts';
import { performMerge } from './pull-routes.ts';
import { findRepo, inTurn, mirrorOf } from './repositories.ts';
import type { Route, RouteInput } from './routes.ts';
import type { PullRow, RepoRow } from './rows.ts';

export const QUEUE_ROUTES: readonly Route[] = [
  { method: 'GET', path: /^\/issues\/(\d+)\/events$/, handle: listEvents },
];

/** GitHub's merge queue: it asks for checks of what it would merge, then merges by itself. */
export function queueActs(
  context: LabContext,
  accounts: Accounts,
): Pick<Acting, 'requestMergeGroup' | 'mergeByQueue'> {
  return {
    requestMergeGroup: (repo, number, by = accounts.reviewer) => {
      const row = rowOf(context, repo);
      return inTurn(context, row, () => enqueue(context, row, pullOf(context, row, number), by));
    },
    mergeByQueue: (repo, number) => {
      const row = rowOf(context, repo);
      return inTurn(context, row, async () => {
        const [pull, mirror] = [pullOf(context, row, number), await mirrorOf(context, row)];
        const queue = { context, repo: row, actor: QUEUE_LOGIN };
        const merged = await performMerge(queue, mirror, pull, 'merge', `Queue #${number}`);
        if (!ok(merged)) throw new Error(`the queue could not merge #${number}: ${merged.body.toString()}`);
      });
    },
  };
}

function rowOf(context: LabContext, { owner, name }: RepositoryName): RepoRow {
  const row = findRepo(context, owner, name);
  if (row === undefined) throw new Error(`the lab has no repository ${owner}/${name}`);
  return row;
}

function pullOf(context: LabContext, repo: RepoRow, number: number): PullRow {
  const rows = context.store.pullRequests.findBy('repo_id', repo.id);
  const pull = rows.find((row) => row.number === number);
  if (pull === undefined) throw new Error(`${repo.full_name} has no pull request ${number}`);
  return pull;
}

/** Gives the commit that the queue would merge. */
async function enqueue(
  context: LabContext,
  row: RepoRow,
  pull: PullRow,
  { login }: Pick<Account, 'login'>,
): Promise<string> {
  const { number } = pull;
  const mirror = await mirrorOf(context, row);
  const base_sha = baseTip(mirror, pull);
  const identity = { name: login, email: `${login}@example.com`, date: new Date().toISOString() };
  const head_sha = await makeMerge(context, mirror, pull, 'merge', `Queue #${number}`, identity);
  if (head_sha === null) throw new Error(`#${number} conflicts with its base`);
  const queued = { event: 'added_to_merge_queue', actor: login, created_at: new Date().toISOString() };
  const key = `${row.id}:${number}`;
  context.state.queueEvents.set(key, [...(context.state.queueEvents.get(key) ?? []), queued]);
  const head_ref = `refs/heads/gh-readonly-queue/${pull.base_ref}/pr-${number}-${base_sha}`;
  await gitOutput(mirror.dir, ['update-ref', head_ref, head_sha]);
  await announce(context, mirror, row, await importFromGit(mirror, context.store), login);
  const payload = {
    action: 'checks_requested',
    merge_group: { head_sha, head_ref, base_sha, base_ref: `refs/heads/${pull.base_ref}` },
    repository: await callJson(context, `/repos/${row.full_name}`),
    sender: await senderOf(context, login),
    installation: { id: context.installationId },
  };
  context.deliveries.emit('merge_group', 'checks_requested', payload);
  return head_sha;
}

/** Of all events of a pull request the lab keeps those of the queue; GitHub gives the oldest first. */
async function listEvents({ context, repo, params, query }: RouteInput): Promise<ApiAnswer> {
  const known = context.state.queueEvents.get(`${repo.id}:${params[0]}`) ?? [];
  const page = Number(query.get('page') ?? 1) === 1 ? known : [];
  const shown = page.map(async (event, id) => ({
    id,
    ...event,
    actor: await senderOf(context, event.actor),
  }));
  return answer(200, await Promise.all(shown));
}
