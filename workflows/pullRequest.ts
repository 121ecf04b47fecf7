import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  patched,
  setHandler,
  startChild,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { Answer, PlanRef, PullSnapshot, Request, Revision } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { attempt, noted } from './attempt.ts';
import { causeOf } from './cause.ts';
import { closeUnread } from './closeUnread.ts';
import { deployment } from './deployment.ts';
import { FORK, HELP, NOT_OPEN, PLANNING, TAKING_BACK } from './help.ts';
import { shouldContinue } from './history.ts';
import { lose } from './lost.ts';
import { type DeploymentEnded, deploymentEnded, type PullEvent, pullEvent, pullStatus } from './messages.ts';
import { applicable } from './pullApply.ts';
import { cancel } from './pullCancel.ts';
import {
  awaitNext,
  begin,
  type Desk,
  dropPending,
  goOn,
  judge,
  judgeAgain,
  judgeEnded,
  noticeDraft,
  noticeMerge,
  vouch,
  waitsToOpen,
} from './pullGate.ts';
import { cancelDeployment, rollBackMerged, stopOvertaken, type TakingBack } from './pullRollback.ts';
import {
  beginsByItself,
  FRESH,
  isNews,
  isOver,
  mayHaveMissed,
  mayPlan,
  type PullInput,
  type PullState,
  remembering,
  runOf,
  saysTheSame,
  statusOf,
  unplanned,
  withBegun,
  withOutcome,
  withPusher,
  withSnapshot,
} from './pullState.ts';
import { reporter } from './security.ts';
import { planPull } from './sites.ts';
import { watchInherited } from './watching.ts';

/** One pull request from its first event until it is closed and nothing of it runs. The newest head wins. */
export async function pullRequest(input: PullInput): Promise<void> {
  const inbox: PullEvent[] = [...(input.inbox ?? [])];
  const ended: DeploymentEnded[] = [];
  let state: PullState = input.state ?? FRESH;
  let planning: { readonly scope: CancellationScope; readonly done: Promise<void> } | undefined;
  let reads: string | undefined; // the head whose servers are being read
  /** The rollback of the merged change, which may have to wait for other runs. */
  let takingBack: TakingBack | undefined;
  let reactions: Promise<unknown> = Promise.resolve();
  const reactedTo = new Set<Request>();
  const answer = (request: Request, text: Answer): Promise<void> => short.answer(input.pull, request, text);
  const reports = reporter(input.pull, answer, (request, error) => apologise(request, error));

  /** The person sees at once that they were heard, whatever has to be done before their turn comes. */
  const react = async (request: Request): Promise<void> => {
    if (reactedTo.has(request)) return;
    reactedTo.add(request);
    await short.acknowledge(input.pull, request);
  };

  setHandler(pullEvent, (event) => {
    if (inbox.some((waiting) => saysTheSame(waiting, event))) return;
    inbox.push(event);
    if ('request' in event && patched('react-at-once'))
      reactions = Promise.all([reactions, react(event.request).catch(noted)]);
  });
  setHandler(deploymentEnded, (end) => void ended.push(end));
  setHandler(pullStatus, () => statusOf(state));

  const look = async (force: boolean): Promise<void> => {
    const snapshot = await short.readPull(input.pull).catch((error: unknown) => lose(desk, error));
    const before = state.snapshot;
    state = withSnapshot(state, snapshot, Date.now());
    await stopOvertaken(state.running, snapshot);
    await noticeMerge(desk, before);
    if (snapshot.state !== 'open') return;
    if (!force && !isNews(before, snapshot, state.lost)) return noticeDraft(desk, before);
    planning?.scope.cancel();
    await planning?.done;
    if (reads !== undefined && reads !== snapshot.headSha && patched('close-overtaken'))
      await short.closeOvertaken(input.pull, reads);
    reads = undefined;
    const scope = new CancellationScope();
    const planned = scope.run(() => validateAndPlan(snapshot)).catch((error) => lose(desk, error));
    planning = { scope, done: planned.catch(noted) };
  };

  const validateAndPlan = async (snapshot: PullSnapshot): Promise<void> => {
    const revision: Revision = { headSha: snapshot.headSha, baseSha: snapshot.baseSha };
    state = unplanned(state);
    const mayGoOn = mayPlan(state, snapshot);
    const valid = await short.validatePull(input.pull, revision, !mayGoOn);
    if (valid.kind !== 'valid' || !mayGoOn || state.running !== undefined) return;
    reads = snapshot.headSha;
    const outcome = await planPull(input.pull, revision, state.shown, valid.elsewhere);
    reads = undefined;
    state = withOutcome(state, outcome, Date.now());
    if (outcome.kind !== 'planned') return;
    const gate = await judge(desk, outcome.plan);
    const missed = mayHaveMissed(state, gate) && patched('checked-meanwhile');
    // not from here: what plans may be cancelled
    if (missed || beginsByItself(state, gate, outcome.plan)) inbox.push({ kind: 'reviewed' });
  };

  const settled = async (): Promise<void> => {
    await planning?.done;
    planning = undefined;
  };

  const handle = async (event: PullEvent): Promise<void> => {
    switch (event.kind) {
      case 'changed':
        if (event.pushedBy !== undefined) state = withPusher(state, event.pushedBy);
        return look(false);
      case 'base-moved':
        return state.running === undefined ? look(event.servers === true) : undefined;
      case 'reviewed':
        if (state.snapshot === undefined) await look(false);
        return judgeAgain(desk);
      case 'checked':
        if (state.gate === undefined) state = { ...state, checked: true };
        return state.gate?.waitsForChecks === true ? judgeAgain(desk) : undefined;
      case 'notice-changed':
        return short.restoreNotices(input.pull, event);
      case 'misspelt':
        return once(event.request, () => answer(event.request, event.text));
      case 'asked':
        return once(event.request, () => obey(event.request));
    }
  };

  const once = async (request: Request, act: () => Promise<void>): Promise<void> => {
    const id = request.commentId ?? request.deliveryId;
    if (id !== undefined && state.answered.includes(id)) return;
    await act().catch((error: unknown) => apologise(request, error));
    if (id !== undefined) state = remembering(state, id);
  };

  const apologise = (request: Request, error: unknown): Promise<void> => {
    if (isCancellation(error)) throw error;
    return answer(request, { kind: 'failed', command: request.command, reason: causeOf(error) });
  };

  const obey = async (request: Request): Promise<void> => {
    await react(request);
    const refusal = await short.refusal(input.pull, request);
    if (refusal !== undefined) return answer(request, refusal);
    switch (request.command) {
      case 'help':
        return answer(request, HELP);
      case 'status':
        return answer(request, await short.describeStatus(input.pull));
      case 'security':
        return reports.begin(request);
      case 'unlock':
        return answer(request, await short.unlock(input.pull, request));
      case 'plan':
        return planAgain(request);
      case 'apply':
        return apply(request);
      case 'cancel':
        return cancel(desk, request, takingBack);
      case 'rollback':
        return takeBack(request);
    }
  };

  const planAgain = async (request: Request): Promise<void> => {
    if (state.running !== undefined)
      return answer(request, `The run ${state.running.run} changes hosts now; plan again when it has ended.`);
    const other = await vouch(desk, request);
    if (other !== undefined) return answer(request, other);
    await look(true);
    if (state.snapshot?.state !== 'open') return answer(request, NOT_OPEN);
    await answer(request, mayPlan(state, state.snapshot) ? PLANNING : FORK);
  };

  /** The check says that a run is over a moment before the run itself reports it; who presses then means a new one. */
  const hearOfEnd = async (): Promise<void> => {
    if (state.running === undefined || !patched('hear-of-end')) return;
    await condition(() => ended.length > 0, '5 seconds');
    const end = ended.shift();
    if (end !== undefined) await deploymentOver(end);
  };

  const apply = async (request: Request): Promise<void> => {
    await hearOfEnd();
    if (state.running !== undefined)
      return answer(request, `The run ${state.running.run} is already applying this pull request.`);
    await look(false);
    await settled();
    const found = applicable(state, request);
    if ('no' in found) return answer(request, found.no);
    await begin(desk, found.plan, request);
  };

  const deploy = async (plan: PlanRef, request: Request, attempt = 1, mergeSha?: string): Promise<void> => {
    const run = `pr${input.pull.number}-${uuid4().slice(0, 8)}`;
    const workflowId = `deployment:${run}:${plan.headSha.slice(0, 12)}`;
    const child = await startChild(deployment, {
      workflowId,
      args: [{ ...runOf(state, plan, request, mergeSha), run, pull: input.pull }, workflowInfo().workflowId],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    const running = { run, workflowId, request, plan, attempt };
    state = { ...withBegun(state, plan), pending: undefined, running };
    // it reports by itself, unless somebody ends its workflow from outside
    child.result().catch(() => ended.push({ run, end: 'cancelled', reason: 'its workflow was ended' }));
  };

  const takeBack = async (request: Request): Promise<void> => {
    if (await waitsToOpen(desk)) return dropPending(desk, request);
    if (state.running === undefined) return takeMergedBack(request);
    const { run, workflowId } = state.running;
    state = { ...state, unwanted: request };
    await cancelDeployment(workflowId, `${request.actor} asked for a rollback`);
    return answer(request, `Stopping the run ${run} at the next safe point and rolling it back.`);
  };

  /** Beside the other events: it may wait for another run's locks, and people ask meanwhile. */
  const takeMergedBack = async (request: Request): Promise<void> => {
    if (takingBack !== undefined) return answer(request, TAKING_BACK);
    takingBack = {};
    rollBackMerged(input.pull, request, takingBack)
      .catch((error: unknown) => apologise(request, error))
      .catch(noted)
      .finally(() => {
        takingBack = undefined;
      });
  };

  const deploymentOver = async (end: DeploymentEnded): Promise<void> => {
    const { unwanted, running } = state;
    if (running?.run !== end.run) return;
    const mergeSeen = state.mergeSeen === true || end.end === 'applied';
    state = { ...state, running: undefined, unwanted: undefined, mergeSeen };
    await look(end.end === 'stale' || state.plan === undefined);
    if (unwanted !== undefined && end.end === 'applied') return takeMergedBack(unwanted);
    if (unwanted === undefined && end.end === 'stale' && !mergeSeen) return goOn(desk, running, end);
    return judgeEnded(desk);
  };

  const desk: Desk = {
    pull: input.pull,
    state: () => state,
    change: (change) => {
      state = { ...state, ...change };
    },
    settled,
    look,
    apply,
    deploy,
  };

  const isAlone = (): boolean => takingBack === undefined && !reports.isMaking();
  const over = (): boolean => inbox.length === 0 && ended.length === 0 && isAlone() && isOver(state);

  if (state.running !== undefined) watchInherited(state.running, () => state.running, ended).catch(noted);
  await attempt(() => look(false));
  for (;;) {
    await awaitNext(desk, () => inbox.length > 0 || ended.length > 0 || over());
    const end = ended.shift();
    const event = end === undefined ? inbox.shift() : undefined;
    if (end !== undefined) await attempt(() => deploymentOver(end));
    else if (event !== undefined) await attempt(() => handle(event));
    else if (over()) {
      await settled();
      await reactions;
      if (over()) return closeUnread(input.pull, state);
    }
    if (shouldContinue() && isAlone()) {
      await settled();
      await reactions;
      if (ended.length === 0) await continueAsNew<typeof pullRequest>({ pull: input.pull, state, inbox });
    }
  }
}
