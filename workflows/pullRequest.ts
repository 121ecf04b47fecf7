import {
  CancellationScope,
  condition,
  continueAsNew,
  ParentClosePolicy,
  setHandler,
  startChild,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlanRef, PullRef, PullSnapshot, Request, Revision } from '../engine/activities/types.ts';
import { reading, short } from './activities.ts';
import { attempt, noted } from './attempt.ts';
import { deployment } from './deployment.ts';
import { HELP } from './help.ts';
import { shouldContinue } from './history.ts';
import { type DeploymentEnded, deploymentEnded, type PullEvent, pullEvent, pullStatus } from './messages.ts';
import { cancel } from './pullCancel.ts';
import { cancelDeployment, rollBackMerged } from './pullRollback.ts';

interface Running {
  readonly run: string;
  readonly workflowId: string;
  readonly request: Request;
  readonly plan: PlanRef;
  /** How often the same plan was started, because the base moved while it waited. */
  readonly attempt: number;
}

/** What survives a continue-as-new. */
export interface PullState {
  readonly snapshot: PullSnapshot | undefined;
  readonly plan: PlanRef | undefined;
  /** The plan that was shown last, though it may be superseded: an equal one keeps its approvals. */
  readonly shown: PlanRef | undefined;
  /** The run that changes hosts for this pull request now, and the workflow that carries it. */
  readonly running: Running | undefined;
  /** Somebody wants the running change taken back; should it be applied before it can stop, the merged one is. */
  readonly unwanted: Request | undefined;
  /** Comments, and deliveries of buttons, that were acted upon; what comes twice does nothing the second time. */
  readonly answered: readonly (number | string)[];
}

export interface PullInput {
  readonly pull: PullRef;
  readonly state?: PullState;
  readonly inbox?: readonly PullEvent[];
}

/** A plan that is the same again after the base has moved goes on by itself this often. */
const ATTEMPTS_MAX = 10;

const WATCH_INTERVAL = '15 seconds';

/** Bound of remembered comments and presses; GitHub redelivers within three days. */
const ANSWERED_MAX = 500;

/** One pull request from its first event until it is closed and nothing of it runs. The newest head wins. */
export async function pullRequest(input: PullInput): Promise<void> {
  const inbox: PullEvent[] = [...(input.inbox ?? [])];
  const ended: DeploymentEnded[] = [];
  let state: PullState = input.state ?? {
    snapshot: undefined,
    plan: undefined,
    shown: undefined,
    running: undefined,
    unwanted: undefined,
    answered: [],
  };
  let planning: { readonly scope: CancellationScope; readonly done: Promise<void> } | undefined;
  setHandler(pullEvent, (event) => {
    if (!inbox.some((waiting) => saysTheSame(waiting, event))) inbox.push(event);
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
    const valid = await short.validatePull(input.pull, revision);
    if (valid.kind !== 'valid' || snapshot.fork || state.running !== undefined) return;
    const outcome = await reading.planPull(input.pull, revision, state.shown);
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
        return once(event.request, () => short.answer(input.pull, event.request, event.text));
      case 'asked':
        return once(event.request, () => obey(event.request));
    }
  };

  const once = async (request: Request, act: () => Promise<void>): Promise<void> => {
    const id = request.commentId ?? request.deliveryId;
    if (id !== undefined && state.answered.includes(id)) return;
    await act();
    if (id !== undefined) state = { ...state, answered: [...state.answered, id].slice(-ANSWERED_MAX) };
  };

  const obey = async (request: Request): Promise<void> => {
    await short.acknowledge(input.pull, request);
    const refusal = await short.refusal(input.pull, request);
    if (refusal !== undefined) return short.answer(input.pull, request, refusal);
    switch (request.command) {
      case 'help':
        return short.answer(input.pull, request, HELP);
      case 'status':
        return short.answer(input.pull, request, await short.describeStatus(input.pull));
      case 'unlock':
        return short.answer(input.pull, request, await short.unlock(input.pull, request));
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
      return short.answer(
        input.pull,
        request,
        `The run ${state.running.run} changes the hosts now; plan again when it has ended.`,
      );
    }
    await look(true);
    await short.answer(
      input.pull,
      request,
      'Planning again on fresh facts; the comment above shows the result.',
    );
  };

  const apply = async (request: Request): Promise<void> => {
    const no = (text: string): Promise<void> => short.answer(input.pull, request, text);
    if (state.running !== undefined)
      return no(`The run ${state.running.run} is already applying this pull request.`);
    await look(false);
    await settled();
    const { snapshot, plan } = state;
    if (snapshot?.state !== 'open') return no('This pull request is not open, so there is nothing to apply.');
    if (plan === undefined) return no('There is no plan to apply for this head; the checks say why.');
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
    if (state.running === undefined) return rollBackMerged(input.pull, request);
    const { run, workflowId } = state.running;
    state = { ...state, unwanted: request };
    await cancelDeployment(workflowId, `${request.actor} asked for a rollback`);
    const text = `Stopping the run ${run} at the next safe point and rolling it back.`;
    return short.answer(input.pull, request, text);
  };

  const deploymentOver = async (end: DeploymentEnded): Promise<void> => {
    const { unwanted, running } = state;
    if (running?.run !== end.run) return;
    state = { ...state, running: undefined, unwanted: undefined };
    await look(end.end === 'stale' || state.plan === undefined);
    if (unwanted !== undefined && end.end === 'applied') return rollBackMerged(input.pull, unwanted);
    if (unwanted === undefined && end.end === 'stale') return goOn(running);
  };

  /** The approval covers the plan, not the base: when planning again gives the same plan, it runs. */
  const goOn = async ({ plan, request, attempt }: Running): Promise<void> => {
    await settled();
    const now = state.plan;
    if (now?.digest !== plan.digest || now.headSha !== plan.headSha || attempt >= ATTEMPTS_MAX) return;
    const gate = await short.gatePull(input.pull, now);
    if (gate.ready) await deploy(now, request, attempt + 1);
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

  const over = (): boolean =>
    inbox.length === 0 && ended.length === 0 && state.running === undefined && isOver(state.snapshot);

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
      if (over()) return;
    }
    if (shouldContinue()) {
      await settled();
      if (ended.length === 0) await continueAsNew<typeof pullRequest>({ pull: input.pull, state, inbox });
    }
  }
}

/** Hints to look again; one look answers all that came before it. */
function saysTheSame(a: PullEvent, b: PullEvent): boolean {
  return a.kind === b.kind && a.kind !== 'asked' && a.kind !== 'misspelt';
}

function isOver(snapshot: PullSnapshot | undefined): boolean {
  return snapshot !== undefined && snapshot.state !== 'open';
}
