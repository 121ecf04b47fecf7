import type { GitHubClient } from '../github/client.ts';
import { publishComment, react, replyTo } from '../github/comment.ts';
import { calling } from '../github/errors.ts';
import { readPages } from '../github/pages.ts';
import { pullWorkflowId } from '../github/workflowIds.ts';
import type { Run } from '../store/runs.ts';
import { isAlive } from './alive.ts';
import type { Engine } from './engine.ts';
import { inParallel } from './planning.ts';
import { fullName } from './pull.ts';
import { refusal } from './refusal.ts';
import type { PullActivities, PullRef, RepositoryRef, Request, RunRef } from './types.ts';

type Requests = Omit<
  PullActivities,
  'readPull' | 'validatePull' | 'validateGroup' | 'planPull' | 'gatePull' | 'recordOverride'
>;

/** What people ask for in comments and with buttons, and the answers. */
export function requestActivities(engine: Engine): Requests {
  const clientOf = (pull: PullRef): Promise<GitHubClient> =>
    engine.github.installationClient(pull.repository.installationId);
  return {
    refusal: async (pull, request) => refusal(engine, await clientOf(pull), pull, request),
    acknowledge: async (pull, request) => {
      if (request.commentId !== undefined)
        await react(await clientOf(pull), pull.repository, request.commentId, 'eyes');
    },
    answer: async (pull, request, text) => answer(await clientOf(pull), pull, request, text),
    describeStatus: (pull) => describeStatus(engine, pull),
    unlock: (pull, request) => unlock(engine, pull, request),
    appliedRun: (pull) => appliedRun(engine, pull),
    openPullsOn: (repository, baseRef) => openPullsOn(engine, repository, baseRef),
    signalBaseMoved: (repository, numbers) => signalBaseMoved(engine, repository, numbers),
  };
}

async function answer(client: GitHubClient, pull: PullRef, request: Request, text: string): Promise<void> {
  if (request.commentId !== undefined) {
    await replyTo(client, pull.repository, pull.number, request.commentId, text);
    return;
  }
  const key = `button-${request.command}-${Date.parse(request.at)}`;
  await publishComment(client, pull.repository, pull.number, { key, body: text });
}

async function describeStatus(engine: Engine, pull: PullRef): Promise<string> {
  const runs = await engine.store.runs.ofPull(fullName(pull), pull.number);
  const locks = await engine.store.locks.list();
  const queue = await engine.store.locks.queue();
  const mine = runs.map((run) => run.id);
  const held = locks.filter((lock) => mine.includes(lock.runId));
  const place = queue.findIndex((waiter) => mine.includes(waiter.runId));
  const lines = [
    ...runs.slice(0, 5).map((run) => `- \`${run.id}\` (${run.kind}): ${run.state}${since(run)}`),
    ...held.map((lock) => `- holds \`${lock.host.split(' ')[0]}\` for \`${lock.runId}\``),
    ...(place === -1 ? [] : [`- waits for locks at place ${place + 1} of ${queue.length}`]),
  ];
  return lines.length === 0 ? 'Nothing of this pull request has run yet.' : lines.join('\n');
}

function since(run: Run): string {
  const at = new Date(run.endedAt ?? run.startedAt).toISOString().replace(/\.\d+Z$/, 'Z');
  return run.endedAt === null ? `, since ${at}` : ` at ${at}`;
}

/** Only locks whose workflow is dead are freed, and held runs that a person has looked after. */
async function unlock(engine: Engine, pull: PullRef, request: Request): Promise<string> {
  const runs = new Map(
    (await engine.store.runs.ofPull(fullName(pull), pull.number)).map((run) => [run.id, run]),
  );
  const locks = (await engine.store.locks.list()).filter((lock) => runs.has(lock.runId));
  if (locks.length === 0) return 'This pull request holds no hosts.';
  const lines = await inParallel(locks, 1, async (lock) => {
    const host = lock.host.split(' ')[0];
    if (await isAlive(engine.temporal, lock.workflowId)) {
      return `- \`${host}\` is in use by the living run \`${lock.runId}\`; \`/doaas rollback\` stops and undoes it.`;
    }
    const { next } = await engine.store.locks.forceRelease(lock.host, request.actor);
    if (runs.get(lock.runId)?.state === 'held')
      await engine.store.runs.update(lock.runId, { state: 'failed' });
    for (const waiter of next)
      await engine.temporal.workflow.getHandle(waiter.workflowId).signal('locksReleased');
    return `- \`${host}\` is free now. What the run left there stays as it is until the next plan.`;
  });
  return lines.join('\n');
}

/** The newest run that applied this pull request, with the plan that it ran. */
async function appliedRun(engine: Engine, pull: PullRef): Promise<RunRef | undefined> {
  const runs = await engine.store.runs.ofPull(fullName(pull), pull.number);
  const run = runs.find((candidate) => candidate.kind === 'apply' && candidate.state === 'applied');
  const detail = run?.detail as { readonly ref?: RunRef } | null | undefined;
  return detail?.ref;
}

async function openPullsOn(
  engine: Engine,
  repository: RepositoryRef,
  baseRef: string,
): Promise<readonly number[]> {
  const client = await engine.github.installationClient(repository.installationId);
  const pulls = await calling('Listing open pull requests', () =>
    readPages(async (page) => {
      const query = { owner: repository.owner, repo: repository.name, state: 'open' as const, base: baseRef };
      return (await client.octokit.pulls.list({ ...query, per_page: 100, page })).data;
    }),
  );
  return pulls.map((pull) => pull.number);
}

async function signalBaseMoved(
  engine: Engine,
  repository: RepositoryRef,
  numbers: readonly number[],
): Promise<void> {
  await inParallel(numbers, 8, async (number) => {
    const pull = { repository, number };
    await engine.temporal.workflow.signalWithStart('pullRequest', {
      workflowId: pullWorkflowId(pull),
      taskQueue: 'doaas',
      args: [{ pull }],
      signal: 'pullEvent',
      signalArgs: [{ kind: 'base-moved' }],
    });
  });
}
