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
import { reading, short } from './activities.ts';
import { attempt, noted } from './attempt.ts';
import { causeOf } from './cause.ts';
import { deployment } from './deployment.ts';
import { FORK, HELP, NOT_OPEN, PLANNING, TAKING_BACK } from './help.ts';
import { shouldContinue } from './history.ts';
import { type DeploymentEnded, deploymentEnded, type PullEvent, pullEvent, pullStatus } from './messages.ts';
import { cancel } from './pullCancel.ts';
import { cancelDeployment, rollBackMerged } from './pullRollback.ts';
import {
  ATTEMPTS_MAX,
  FRESH,
  isOver,
  type PullInput,
  type PullState,
  type Running,
  remembering,
  saysTheSame,
} from './pullState.ts';

const REPORT_WITHIN = '5 seconds';
const WATCH_INTERVAL = '15 seconds';

/** One pull request from its first event until it is closed and nothing of it runs. The newest head wins. */
export async function pullRequest(input: PullInput): Promise<void> {
  const inbox: PullEvent[] = [...(input.inbox ?? [])];
  const ended: DeploymentEnded[] = [];
  let state: PullState = input.state ?? FRESH;
  let planning: { readonly scope: CancellationScope; readonly done: Promise<void> } | undefined;
  /** The head whose servers are being read. */
  let reads: string | undefined;
  /** The rollback of the merged change, which may have to wait for other runs. */
  let takingBack: Promise<void> | undefined;
  let reactions: Promise<unknown> = Promise.resolve();
  const reactedTo = new Set<Request>();
  const answer = (request: Request, text: Answer): Promise<void> => short.answer(input.pull, request, text);

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
  setHandler(pullStatus, () => ({
    headSha: state.snapshot?.headSha ?? '',
    plan: state.plan,
    deployment: state.running?.run,
  }));

  const look = async (force: boolean): Promise<void> => {
    const snapshot = await short.readPull(input.pull);
    const same = snapshot.headSha === state.snapshot?.headSha && snapshot.baseSha === state.snapshot?.baseSha;
    const reopened = state.snapshot?.state !== 'open' || (state.snapshot.draft && !snapshot.draft);
    state = { ...state, snapshot };
    await stopOvertaken(snapshot);
    if (snapshot.state !== 'open' || (same && !force && !reopened)) return;
    planning?.scope.cancel();
    await planning?.done;
    if (reads !== undefined && reads !== snapshot.headSha && patched('close-overtaken'))
      await short.closeOvertaken(input.pull, reads);
    reads = undefined;
    const scope = new CancellationScope();
    planning = { scope, done: scope.run(() => validateAndPlan(snapshot)).catch(noted) };
  };

  /** GitHub would refuse the merge in the end; the run is taken back now, and the newest head planned after it. */
  const stopOvertaken = async ({ state: now, headSha }: PullSnapshot): Promise<void> => {
    if (state.running === undefined || now === 'merged') return;
    const { workflowId, plan } = state.running;
    if (now === 'closed')
      await cancelDeployment(workflowId, 'The pull request was closed while it was applied');
    else if (headSha !== plan.headSha)
      await cancelDeployment(workflowId, 'A newer commit was pushed while this one was applied');
  };

  const validateAndPlan = async (snapshot: PullSnapshot): Promise<void> => {
    const revision: Revision = { headSha: snapshot.headSha, baseSha: snapshot.baseSha };
    state = { ...state, plan: undefined };
    const valid = await short.validatePull(input.pull, revision, snapshot.fork);
    if (valid.kind !== 'valid' || snapshot.fork || state.running !== undefined) return;
    reads = snapshot.headSha;
    const outcome = await reading.planPull(input.pull, revision, state.shown);
    reads = undefined;
    if (outcome.kind !== 'planned') return;
    state = { ...state, plan: outcome.plan, shown: outcome.plan };
    await short.gatePull(input.pull, outcome.plan);
  };

  const settled = async (): Promise<void> => {
    await planning?.done;
    planning = undefined;
  };

  const handle = async (event: PullEvent): Promise<void> => {
    switch (event.kind) {
      case 'changed':
        return look(false);
      case 'base-moved':
        return state.running === undefined ? look(false) : undefined;
      case 'reviewed':
        if (state.snapshot === undefined) await look(false);
        await settled();
        if (state.plan !== undefined && state.running === undefined)
          await short.gatePull(input.pull, state.plan);
        return;
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
      case 'unlock':
        return answer(request, await short.unlock(input.pull, request));
      case 'plan':
        return planAgain(request);
      case 'apply':
        return apply(request);
      case 'cancel':
        return cancel(input.pull, request, state.running);
      case 'rollback':
        return takeBack(request);
    }
  };

  const planAgain = async (request: Request): Promise<void> => {
    if (state.running !== undefined) {
      const { run } = state.running;
      return answer(request, `The run ${run} changes the hosts now; plan again when it has ended.`);
    }
    await look(true);
    if (state.snapshot?.state !== 'open') return answer(request, NOT_OPEN);
    await answer(request, state.snapshot.fork ? FORK : PLANNING);
  };

  /** The check says that a run is over a moment before the run itself reports it; who presses then means a new one. */
  const hearOfEnd = async (): Promise<void> => {
    if (state.running === undefined || !patched('hear-of-end')) return;
    await condition(() => ended.length > 0, REPORT_WITHIN);
    const end = ended.shift();
    if (end !== undefined) await deploymentOver(end);
  };

  const apply = async (request: Request): Promise<void> => {
    const no = (text: string): Promise<void> => answer(request, text);
    await hearOfEnd();
    if (state.running !== undefined)
      return no(`The run ${state.running.run} is already applying this pull request.`);
    await look(false);
    await settled();
    const { snapshot, plan } = state;
    if (snapshot?.state !== 'open') return no(NOT_OPEN);
    if (snapshot.fork) return no(FORK);
    if (plan === undefined)
      return no('There is no plan to apply for this head; the checks say why. `/doaas plan` tries again.');
    if (request.headSha !== undefined && request.headSha !== plan.headSha) {
      return no('That button belongs to an older head; look at the plan of the newest one and apply that.');
    }
    if (Date.parse(request.at) < Math.floor(Date.parse(plan.shownAt) / 1000) * 1000) {
      return no(
        'The plan changed after you asked. Look at the new one; if it is what you want, say `/doaas apply` again.',
      );
    }
    const gate = await short.gatePull(input.pull, plan);
    if (!gate.ready) return no(`Not applied. Missing: ${gate.missing.join('; ')}.`);
    await deploy(plan, request);
  };

  const deploy = async (plan: PlanRef, request: Request, attempt = 1): Promise<void> => {
    const run = `pr${input.pull.number}-${uuid4().slice(0, 8)}`;
    const workflowId = `deployment:${run}:${plan.headSha.slice(0, 12)}`;
    const child = await startChild(deployment, {
      workflowId,
      args: [{ run, pull: input.pull, plan, actor: request.actor }, workflowInfo().workflowId],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    state = { ...state, running: { run, workflowId, request, plan, attempt } };
    // it reports by itself, unless somebody ends its workflow from outside
    child.result().catch(() => ended.push({ run, end: 'cancelled', reason: 'its workflow was ended' }));
  };

  const takeBack = async (request: Request): Promise<void> => {
    if (state.running === undefined) return takeMergedBack(request);
    const { run, workflowId } = state.running;
    state = { ...state, unwanted: request };
    await cancelDeployment(workflowId, `${request.actor} asked for a rollback`);
    const text = `Stopping the run ${run} at the next safe point and rolling it back.`;
    return answer(request, text);
  };

  /** Beside the other events: it may wait for another run's locks, and people ask meanwhile. */
  const takeMergedBack = async (request: Request): Promise<void> => {
    if (takingBack !== undefined) return answer(request, TAKING_BACK);
    takingBack = rollBackMerged(input.pull, request)
      .catch((error: unknown) => apologise(request, error))
      .catch(noted)
      .finally(() => {
        takingBack = undefined;
      });
  };

  const deploymentOver = async (end: DeploymentEnded): Promise<void> => {
    const { unwanted, running } = state;
    if (running?.run !== end.run) return;
    state = { ...state, running: undefined, unwanted: undefined };
    await look(end.end === 'stale' || state.plan === undefined);
    if (unwanted !== undefined && end.end === 'applied') return takeMergedBack(unwanted);
    if (unwanted === undefined && end.end === 'stale') return goOn(running, end.reason);
  };

  /** The approval covers the plan, not the base: when planning again gives the same plan, it runs. */
  const goOn = async ({ plan, request, attempt }: Running, reason: string): Promise<void> => {
    await settled();
    const now = state.plan;
    if (now?.digest === plan.digest && now.headSha === plan.headSha && attempt < ATTEMPTS_MAX) {
      const gate = await short.gatePull(input.pull, now);
      if (gate.ready) return deploy(now, request, attempt + 1);
    }
    if (patched('answer-stale')) await answer(request, { kind: 'not-applied', reason });
  };

  /**
   * A run that an earlier execution of this workflow started reports its end by itself, unless somebody ended its workflow
   * from outside. Asked twice, because its report may still be on its way.
   */
  const watchInherited = async ({ run, workflowId }: Running): Promise<void> => {
    const isOver = (): boolean => state.running?.run !== run;
    for (let dead = 0; dead < 2; ) {
      if (await condition(isOver, WATCH_INTERVAL)) return;
      dead = (await short.isRunning(workflowId)) ? 0 : dead + 1;
    }
    ended.push({ run, end: 'cancelled', reason: 'its workflow was ended' });
  };

  const isIdle = (): boolean => inbox.length === 0 && ended.length === 0 && takingBack === undefined;
  const over = (): boolean => isIdle() && isOver(state);

  if (state.running !== undefined) watchInherited(state.running).catch(noted);
  await attempt(() => look(false));
  for (;;) {
    await condition(() => inbox.length > 0 || ended.length > 0 || over());
    const end = ended.shift();
    const event = end === undefined ? inbox.shift() : undefined;
    if (end !== undefined) await attempt(() => deploymentOver(end));
    else if (event !== undefined) await attempt(() => handle(event));
    else {
      await settled();
      await reactions;
      if (over()) return;
    }
    if (shouldContinue() && takingBack === undefined) {
      await settled();
      await reactions;
      if (ended.length === 0) await continueAsNew<typeof pullRequest>({ pull: input.pull, state, inbox });
    }
  }
}
