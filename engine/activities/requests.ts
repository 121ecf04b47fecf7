import type { GitHubClient } from '../github/client.ts';
import { publishComment, react, replyTo } from '../github/comment.ts';
import { renderAnswer } from '../github/render/answer.ts';
import { code } from '../github/render/escape.ts';
import { openPulls } from '../github/repositories.ts';
import { mayWrite, permissionOf } from '../github/reviews.ts';
import { recordName } from '../github/workflowIds.ts';
import { type Place, placeOf } from '../store/lock-order.ts';
import type { OpenRun, Run } from '../store/runs.ts';
import { isAlive } from './alive.ts';
import type { Engine } from './engine.ts';
import { wake } from './locks.ts';
import { noteDead } from './noteDead.ts';
import { restoreNotices } from './overrides.ts';
import { inParallel } from './planning.ts';
import { fullName, type PlannedActivities } from './pull.ts';
import { refusal } from './refusal.ts';
import { closeOvertaken, ifAllowed } from './show.ts';
import { signalPull } from './signalPull.ts';
import { createStrangers } from './strangers.ts';
import type {
  Asked,
  IssueRequest,
  PullActivities,
  PullRef,
  RepositoryRef,
  Request,
  RunRef,
} from './types.ts';
import { namesBefore, PLACES_TOLD } from './waiting.ts';

type Requests = Omit<PullActivities, keyof PlannedActivities>;

/** What people ask for in comments and with buttons, and the answers. */
export function requestActivities(engine: Engine): Requests {
  const clientOf = (pull: PullRef): Promise<GitHubClient> =>
    engine.github.installationClient(pull.repository.installationId);
  const strangers = createStrangers(() => performance.now());
  const isHeard = async (
    client: GitHubClient,
    { repository, number }: PullRef,
    { actor, commentId }: Pick<Request, 'actor' | 'commentId'>,
  ): Promise<boolean> => {
    // buttons are shown to those who may write
    if (commentId === undefined || mayWrite(await permissionOf(client, repository, actor))) return true;
    const heard = strangers.admit(repository.installationId, commentId, client.spare());
    if (!heard)
      engine.log.info(
        { repository: recordName(repository), number, actor },
        'people without write access have asked enough for now; not answered',
      );
    return heard;
  };
  return {
    refusal: async (pull, request) => {
      const reason = await refusal(engine, await clientOf(pull), pull, request);
      await auditRequest(engine, pull, request, reason);
      return reason;
    },
    acknowledge: async (pull, request) => {
      const client = await clientOf(pull);
      if (await isHeard(client, pull, request)) await acknowledge(engine, client, pull, request);
    },
    answer: async (pull, request, text) => {
      const client = await clientOf(pull);
      if (await isHeard(client, pull, request)) await answer(client, pull, request, renderAnswer(text));
    },
    restoreNotices: (pull, change) => restoreNotices(engine, pull, change),
    describeStatus: (pull, place) => describeStatus(engine, pull, place),
    unlock: (pull, request, place) => unlock(engine, pull, request, place),
    closeOvertaken: async (pull, headSha, by) => closeOvertaken(await clientOf(pull), pull, headSha, by),
    isRunning: (workflowId) => isAlive(engine.temporal, workflowId),
    appliedRun: (pull) => appliedRun(engine, pull),
    openPullsOn: (repository, baseRef) => openPullsOn(engine, repository, baseRef),
    planAgain: (pull) => signalPull(engine.temporal, pull, { kind: 'base-moved', servers: true }),
    signalBaseMoved: (repository, numbers) => signalBaseMoved(engine, repository, numbers),
  };
}

/** A courtesy: a command counts although its comment takes no reaction, or is gone already. */
async function acknowledge(
  engine: Engine,
  client: GitHubClient,
  pull: PullRef,
  { commentId }: Pick<Request, 'commentId'>,
): Promise<void> {
  if (commentId === undefined) return;
  const reacting = react(client, pull.repository, commentId, 'eyes');
  await ifAllowed(engine.log, 'the reaction to a command', reacting);
}

/** What was asked, by which comment or press, and whether the person may: once, however often that is looked at again. Reading is not recorded. */
export async function auditRequest(
  { store }: Pick<Engine, 'store'>,
  pull: PullRef,
  request: Request | IssueRequest,
  refused: string | undefined,
): Promise<void> {
  const { command, actor, at, commentId, deliveryId, headSha } = request;
  if (command === 'help' || command === 'status') return;
  const event = commentId === undefined ? { delivery: deliveryId ?? '' } : { comment: commentId };
  const account = 'actorId' in request && request.actorId !== undefined ? { account: request.actorId } : {};
  const what = refused === undefined ? `ask-${command}` : `refused-${command}`;
  const repository = fullName(pull);
  await store.audit.append({
    who: actor,
    what,
    repository,
    pull: pull.number,
    ...(headSha === undefined ? {} : { headSha }),
    detail: { ...event, ...account, at, ...(refused === undefined ? {} : { refused }) },
    key: [`${repository}#${pull.number}`, what, actor, commentId ?? deliveryId ?? at].join(' '),
  });
}

async function answer(client: GitHubClient, pull: PullRef, request: Asked, text: string): Promise<void> {
  if (request.commentId !== undefined) {
    await replyTo(client, pull.repository, pull.number, request.commentId, text);
    return;
  }
  const key = `button-${request.command}-${Date.parse(request.at)}`;
  await publishComment(client, pull.repository, pull.number, { key, body: text });
}

async function describeStatus(engine: Engine, pull: PullRef, what = 'pull request'): Promise<string> {
  const runs = await engine.store.runs.ofPull(fullName(pull), pull.number);
  const locks = await engine.store.locks.list();
  const queue = await engine.store.locks.queue();
  const mine = runs.map((run) => run.id);
  const held = locks.filter((lock) => mine.includes(lock.runId));
  const waiting = queue.filter((waiter) => mine.includes(waiter.runId));
  const lines = [
    ...runs.slice(0, 5).map((run) => `- \`${run.id}\` (${run.kind}): ${run.state}${since(run)}`),
    ...held.map((lock) => `- holds \`${lock.host.split(' ')[0]}\` for \`${lock.runId}\``),
    ...waiting.map((waiter) => waitLine(waiter.runId, placeOf(waiter, queue, locks))),
  ];
  return lines.length === 0 ? `Nothing of this ${what} has run yet.` : lines.join('\n');
}

function waitLine(run: string, place: Place): string {
  const behind = place.position > PLACES_TOLD ? '' : `, behind ${namesBefore(place)}`;
  return `- \`${run}\` waits for locks at place ${place.position}${behind}`;
}

function since(run: Run): string {
  const at = new Date(run.endedAt ?? run.startedAt).toISOString().replace(/\.\d+Z$/, 'Z');
  return run.endedAt === null ? `, since ${at}` : ` at ${at}`;
}

/** Only locks whose workflow is dead are freed, and held runs that a person has looked after. */
async function unlock(
  engine: Engine,
  pull: PullRef,
  request: Pick<Request, 'actor' | 'argument'>,
  place = 'pull request',
): Promise<string> {
  const runs = new Map(
    (await engine.store.runs.ofPull(fullName(pull), pull.number)).map((run) => [run.id, run]),
  );
  const all = (await engine.store.locks.list()).filter((lock) => runs.has(lock.runId));
  if (all.length === 0) return holdsNone([...runs.values()], place);
  const locks = all.filter((lock) => isMeant(runs.get(lock.runId), lock.host, request.argument));
  if (locks.length === 0)
    return `This ${place} holds no server ${code(request.argument ?? '')}; \`/doaas status\` lists those that it holds.`;
  const lines = await inParallel(locks, 1, async (lock) => {
    const host = lock.host.split(' ')[0];
    // a held one has ended, though a later correction may run under its id
    const isHeld = runs.get(lock.runId)?.state === 'held';
    if (!isHeld && (await isAlive(engine.temporal, lock.workflowId))) {
      return `- \`${host}\` is in use by the living run \`${lock.runId}\`; \`/doaas ${place === 'issue' ? 'cancel' : 'rollback'}\` stops and undoes it.`;
    }
    const { was, next, stays } = await engine.store.locks.forceRelease(lock, request.actor);
    if (!stays) await noteDead(engine.store, lock.runId);
    await wake(engine, next);
    if (was === undefined) return `- \`${host}\` was given up by \`${lock.runId}\` meanwhile.`;
    return `- \`${host}\` is free now. What the run left there ${stays ? 'stays as it is until the next plan' : 'is undone first by the next run on it'}.`;
  });
  return lines.join('\n');
}

/** What a dead run left is not a matter of locks. */
export function holdsNone(runs: readonly Pick<Run, 'id' | 'state'>[], place: string): string {
  const dead = runs.find(({ state }) => state === 'needs-recovery');
  const left =
    dead === undefined
      ? ''
      : ` What its run \`${dead.id}\` left is undone first by the next run on those servers. For one that is gone, or has other host keys for good, whoever runs the engine says \`doaas unlock SERVER --force\`.`;
  return `This ${place} holds no hosts.${left}`;
}

/** `server`: its name in the run's plan, or the address that `status` shows; undefined means all. */
function isMeant(run: Run | undefined, host: string, server: string | undefined): boolean {
  if (server === undefined || host.split(' ')[0] === server) return true;
  return refOf(run)?.plan.hosts.some(({ name, identity }) => name === server && identity === host) === true;
}

function refOf(run: Run | undefined): RunRef | undefined {
  return (run?.detail as { readonly ref?: RunRef } | null | undefined)?.ref;
}

/** The newest run that applied this pull request and was not taken back, with the plan that it ran. */
async function appliedRun(engine: Engine, pull: PullRef): Promise<RunRef | undefined> {
  const runs = await engine.store.runs.ofPull(fullName(pull), pull.number);
  const newest = runs.find(({ kind, state }) => state === (kind === 'apply' ? 'applied' : 'rolled-back'));
  return newest?.kind === 'apply' ? refOf(newest) : undefined;
}

async function openPullsOn(
  engine: Engine,
  repository: RepositoryRef,
  baseRef: string,
): Promise<readonly number[]> {
  const client = await engine.github.installationClient(repository.installationId);
  const pulls = await openPulls(client, repository, baseRef);
  return pulls.map((pull) => pull.number);
}

async function signalBaseMoved(
  engine: Engine,
  repository: RepositoryRef,
  numbers: readonly number[],
): Promise<void> {
  const open = await engine.store.runs.openStates();
  await inParallel(whoLooks(numbers, recordName(repository), open), 8, (number) =>
    signalPull(engine.temporal, { repository, number }, { kind: 'base-moved' }),
  );
}

/**
 * One whose run goes on, or waits, looks at the base when that is over, and at nothing before. Of five hundred that wait, telling all
 * of each merge would be a hundred thousand signals. A held or dead run is over, as far as its pull request is concerned.
 */
export function whoLooks(
  numbers: readonly number[],
  repository: string,
  open: readonly OpenRun[],
): readonly number[] {
  const busy = open.filter((run) => run.repository === repository && !isOver(run));
  const waits = new Set(busy.map(({ pullNumber }) => pullNumber));
  return numbers.filter((number) => !waits.has(number));
}

function isOver({ state }: OpenRun): boolean {
  return state === 'held' || state === 'needs-recovery';
}
