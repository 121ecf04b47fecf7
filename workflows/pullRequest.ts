import {
  CancellationScope,
  condition,
  continueAsNew,
  ParentClosePolicy,
  patched,
  setHandler,
  startChild,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlanRef, PullSnapshot, Request, Revision } from '../engine/activities/types.ts';
import { reading, short } from './activities.ts';
import { deployment } from './deployment.ts';
import { type DeploymentEnded, deploymentEnded, type PullEvent, pullEvent, pullStatus } from './messages.ts';
import {
  type Desk,
  dropPending,
  judge,
  judgeAgain,
  noticeMerge,
  vouch,
  waitForWindow,
  windowOpened,
} from './pullGate.ts';
import { cancelDeployment, rollBackMerged, stopOvertaken } from './pullRollback.ts';
import {
  beginsByItself,
  gateContext,
  mayPlan,
  meantAnOlderHead,
  NEW_PULL,
  type PullInput,
  type PullState,
  type Running,
  saysTheSame,
  withAnswered,
  withBegun,
  withPusher,
  withSnapshot,
} from './pullState.ts';
import { FORK, HELP, PLANNING } from './pullTexts.ts';
import { attempt, isOver, noted, shouldContinue } from './steadily.ts';

/** Between the last word of a run's check and its end. */
const END_SOON = '3 seconds';

/** A plan that is the same again after the base has moved goes on by itself this often. */
const ATTEMPTS_MAX = 10;

/** One pull request from its first event until it is closed and nothing of it runs. The newest head wins. */
export async function pullRequest(input: PullInput): Promise<void> {
  const inbox: PullEvent[] = [...(input.inbox ?? [])];
  const ended: DeploymentEnded[] = [];
  let state: PullState = input.state ?? NEW_PULL;
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
    const wasOpen = state.snapshot?.state === 'open';
    state = withSnapshot(state, snapshot, Date.now());
    await stopOvertaken(state.running, snapshot);
    if (wasOpen && snapshot.state === 'merged') await noticeMerge(desk);
    if (snapshot.state !== 'open' || (same && !force && !reopened)) return;
    planning?.scope.cancel();
    await planning?.done;
    const scope = new CancellationScope();
    planning = { scope, done: scope.run(() => validateAndPlan(snapshot)).catch(noted) };
  };

  const validateAndPlan = async (snapshot: PullSnapshot): Promise<void> => {
    const revision: Revision = { headSha: snapshot.headSha, baseSha: snapshot.baseSha };
    state = { ...state, plan: undefined, gate: undefined };
    const valid = await short.validatePull(input.pull, revision);
    if (valid.kind !== 'valid' || !mayPlan(state, snapshot) || state.running !== undefined) return;
    const outcome = await reading.planPull(input.pull, revision, state.shown);
    if (outcome.kind !== 'planned') return;
    state = { ...state, plan: outcome.plan, shown: outcome.plan };
    const gate = await judge(desk, outcome.plan);
    // not from here: what plans may be cancelled
    if (beginsByItself(state, gate, outcome.plan)) inbox.push({ kind: 'reviewed' });
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
        return state.running === undefined ? look(false) : undefined;
      case 'reviewed':
        if (state.snapshot === undefined) await look(false);
        return judgeAgain(desk);
      case 'checked':
        return state.gate?.waitsForChecks === true ? judgeAgain(desk) : undefined;
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
    if (id !== undefined) state = withAnswered(state, id);
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
    const other = await vouch(desk, request);
    if (other !== undefined) return short.answer(input.pull, request, other);
    await look(true);
    const shown = state.snapshot !== undefined && mayPlan(state, state.snapshot) ? PLANNING : FORK;
    await short.answer(input.pull, request, shown);
  };

  const apply = async (request: Request): Promise<void> => {
    const no = (text: string): Promise<void> => short.answer(input.pull, request, text);
    if (state.running !== undefined && patched('end-before-apply')) await awaitEnd();
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
    if (meantAnOlderHead(state, request)) {
      return no(
        `The head moved to ${plan.headSha.slice(0, 8)} when you asked. Look at its plan; if it is what you want, say \`/doaas apply\` again.`,
      );
    }
    if (Date.parse(request.at) < Math.floor(Date.parse(plan.shownAt) / 1000) * 1000) {
      return no(
        'The plan changed after you asked. Look at the new one; if it is what you want, say `/doaas apply` again.',
      );
    }
    const gate = await judge(desk, plan, request);
    if (gate.trigger === 'merge' && request.override === undefined)
      return no('The policy applies after the merge: merge this pull request once `doaas/plan` is green.');
    if (gate.opensAt !== undefined) return waitForWindow(desk, request, gate.opensAt);
    if (!gate.ready) return no(`Not applied. Missing: ${gate.missing.join('; ')}.`);
    if (request.override !== undefined)
      await short.recordOverride(input.pull, plan, request, gate.lifted ?? []);
    await deploy(plan, request);
  };

  const deploy = async (plan: PlanRef, request: Request, attempt = 1, mergeSha?: string): Promise<void> => {
    const run = `pr${input.pull.number}-${uuid4().slice(0, 8)}`;
    const workflowId = `deployment:${run}:${plan.headSha.slice(0, 12)}`;
    const child = await startChild(deployment, {
      workflowId,
      args: [
        {
          run,
          pull: input.pull,
          plan,
          actor: request.actor,
          context: gateContext(state, request),
          ...(mergeSha === undefined ? {} : { mergeSha }),
        },
        workflowInfo().workflowId,
      ],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    state = {
      ...withBegun(state, plan),
      pending: undefined,
      running: { run, workflowId, request, plan, attempt },
    };
    // it reports by itself, unless somebody ends its workflow from outside
    child.result().catch(() => ended.push({ run, end: 'cancelled', reason: 'its workflow was ended' }));
  };

  const takeBack = async (request: Request): Promise<void> => {
    if (state.running === undefined && state.pending !== undefined) return dropPending(desk, request);
    if (state.running === undefined) return rollBackMerged(input.pull, request);
    const { run, workflowId } = state.running;
    state = { ...state, unwanted: request };
    await cancelDeployment(workflowId, `${request.actor} asked for a rollback`);
    const text = `Stopping the run ${run} at the next safe point and rolling it back.`;
    return short.answer(input.pull, request, text);
  };

  /** The check says that a run has ended a moment before its workflow tells so here. */
  const awaitEnd = async (): Promise<void> => {
    await condition(() => ended.length > 0, END_SOON);
    const end = ended.shift();
    if (end !== undefined) await deploymentOver(end);
  };

  const deploymentOver = async (end: DeploymentEnded): Promise<void> => {
    const { unwanted, running } = state;
    if (running?.run !== end.run) return;
    const mergeSeen = state.mergeSeen === true || end.end === 'applied';
    state = { ...state, running: undefined, unwanted: undefined, mergeSeen };
    await look(end.end === 'stale' || state.plan === undefined);
    if (unwanted !== undefined && end.end === 'applied') return rollBackMerged(input.pull, unwanted);
    if (unwanted === undefined && end.end === 'stale' && !mergeSeen) return goOn(running);
  };

  /** The approval covers the plan, not the base: when planning again gives the same plan, it runs. */
  const goOn = async ({ plan, request, attempt }: Running): Promise<void> => {
    await settled();
    const now = state.plan;
    if (now?.digest !== plan.digest || now.headSha !== plan.headSha || attempt >= ATTEMPTS_MAX) return;
    const gate = await judge(desk, now, request);
    if (gate.ready) await deploy(now, request, attempt + 1);
    else if (gate.opensAt !== undefined) await waitForWindow(desk, request, gate.opensAt);
  };

  const desk: Desk = {
    pull: input.pull,
    state: () => state,
    change: (change) => {
      state = { ...state, ...change };
    },
    settled,
    apply,
    deploy,
  };

  const over = (): boolean =>
    inbox.length === 0 &&
    ended.length === 0 &&
    state.running === undefined &&
    state.pending === undefined &&
    isOver(state.snapshot);

  await attempt(() => look(false));
  for (;;) {
    const opens = state.gate?.opensAt;
    const awake = (): boolean =>
      inbox.length > 0 || ended.length > 0 || over() || state.gate?.opensAt !== opens;
    if (opens === undefined) await condition(awake);
    // no later than it opens, and no sooner: a timer of the workflow, which survives everything
    else if (!(await condition(awake, Math.max(opens - Date.now(), 1_000))))
      await attempt(() => windowOpened(desk));
    const end = ended.shift();
    const event = end === undefined ? inbox.shift() : undefined;
    if (end !== undefined) await attempt(() => deploymentOver(end));
    else if (event !== undefined) await attempt(() => handle(event));
    else if (isOver(state.snapshot)) {
      await settled();
      if (over()) return;
    }
    if (shouldContinue()) {
      await settled();
      if (ended.length === 0) await continueAsNew<typeof pullRequest>({ pull: input.pull, state, inbox });
    }
  }
}
