import type {
  Gate,
  GateContext,
  PlanOutcome,
  PlanRef,
  PullRef,
  PullSnapshot,
  Request,
  RunEvent,
  RunRef,
} from '../engine/activities/types.ts';
import type { Account } from '../engine/policy/account.ts';
import type { PullEvent } from './messages.ts';
import { type Replan, replanAfter } from './replan.ts';

/** The run that changes hosts for a pull request. */
export interface Running {
  readonly run: string;
  readonly workflowId: string;
  readonly request: Request;
  readonly plan: PlanRef;
  /** How often the same plan was started, because the base moved while it waited. */
  readonly attempt: number;
  /** Somebody cancelled it: should it change nothing, it is not started again. */
  readonly stopped?: boolean;
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
  /** As the present plan was judged last. */
  readonly gate?: Gate | undefined;
  /** Checks of others ended while there was no verdict. */
  readonly checked?: boolean;
  /** Who was seen to push. */
  readonly pushers?: readonly Account[];
  /** Head of a fork that may be planned. */
  readonly vouched?: string;
  /** Asked for while only a change window was shut; goes on when that opens. */
  readonly pending?: Request | undefined;
  /** When that window was to open, as it was judged then. Epoch ms, by the workflow's clock; unset by older engines. */
  readonly pendingUntil?: number;
  /** How often in a row a window was still shut when it was to open. */
  readonly early?: number;
  /** Plans that do not begin by themselves any more: they were begun, or somebody cancelled that. */
  readonly begun?: readonly string[];
  /** Epoch ms, by GitHub's clock, at which a newer head was noticed. */
  readonly movedAt?: number;
  /** The merge was noticed, and what policy wants then was begun. */
  readonly mergeSeen?: boolean;
  /** The last plan of the present head and base has nothing to do, and nothing for a policy to judge. */
  readonly idle?: boolean;
  /** Servers were away when they were to be read. */
  readonly replan?: Replan | undefined;
  /** The last look or plan came to nothing: the pull request is not there, or GitHub would not have it. */
  readonly lost?: 'gone' | 'refused' | undefined;
}

export interface PullInput {
  readonly pull: PullRef;
  readonly state?: PullState;
  readonly inbox?: readonly PullEvent[];
}

export const FRESH: PullState = Object.freeze({
  snapshot: undefined,
  plan: undefined,
  shown: undefined,
  running: undefined,
  unwanted: undefined,
  answered: [],
});

/** Closed, or not there any more: a workflow for what is gone would wait for ever. */
export function isOver({ snapshot, running, pending, lost }: PullState): boolean {
  if (running !== undefined) return false;
  if (lost === 'gone') return true;
  return pending === undefined && snapshot !== undefined && snapshot.state !== 'open';
}

/** What was asked for waits for a change window, with nothing running. */
export function waitsForWindow({ running, pending }: PullState): boolean {
  return running === undefined && pending !== undefined;
}

/** When a change window opens that something waits for; by then it is told what else is missing. Epoch ms, by the workflow's clock. */
export function windowOf({ gate, pending, pendingUntil }: PullState): number | undefined {
  if (gate?.opensAt !== undefined) return gate.opensAt + (gate.aheadMs ?? 0);
  return pending === undefined ? undefined : pendingUntil;
}

/** What waited for a change window need not any more: judged again, the plan is ready as it is. */
export function isFreed({ gate, pending, pendingUntil, running }: PullState): boolean {
  return gate?.ready === true && pending !== undefined && pendingUntil !== undefined && running === undefined;
}

/** Bound of remembered comments and presses; GitHub redelivers within three days. */
const ANSWERED_MAX = 500;

export function remembering(state: PullState, id: number | string): PullState {
  return { ...state, answered: [...state.answered, id].slice(-ANSWERED_MAX) };
}

/** A plan that is the same again after the base has moved goes on by itself this often. */
export const ATTEMPTS_MAX = 10;

/** People who pushed to one pull request and are remembered. */
const PUSHERS_MAX = 100;
/** Plans that are remembered as begun. */
const BEGUN_MAX = 100;

export function withPusher(state: PullState, { login, id }: Account): PullState {
  const others = (state.pushers ?? []).filter((pusher) => pusher.login !== login);
  return { ...state, pushers: [...others, { login, id }].slice(-PUSHERS_MAX) };
}

/** A newer head than the one that was looked at before. `now`: by the workflow's clock. */
export function withSnapshot(state: PullState, snapshot: PullSnapshot, now: number): PullState {
  const moved = state.snapshot !== undefined && state.snapshot.headSha !== snapshot.headSha;
  const { lost } = state;
  return {
    ...state,
    snapshot,
    ...(lost === undefined ? {} : { lost: 'refused' as const }),
    ...(moved ? { movedAt: snapshot.seenAt ?? now } : {}),
  };
}

/** The plan that was made, or when it is tried again. */
export function withOutcome(state: PullState, outcome: PlanOutcome, now: number): PullState {
  const replan = replanAfter(state.replan, outcome, state.snapshot?.headSha ?? '', now);
  if (outcome.kind !== 'planned') return { ...state, replan, idle: outcome.kind === 'nothing-to-do' };
  return { ...state, replan, plan: outcome.plan, shown: outcome.plan };
}

/** Nothing is known any more of how it stands: it is planned anew. */
export function unplanned(state: PullState): PullState {
  return { ...state, plan: undefined, gate: undefined, lost: undefined, idle: false, checked: false };
}

/** The branch that it goes into, where that is not the default one: then it is never applied. */
export function sideBranch({ baseRef, defaultBranch }: PullSnapshot): string | undefined {
  return defaultBranch === undefined || baseRef === defaultBranch ? undefined : baseRef;
}

/** Somebody has merged it since it was looked at last, if it ever was. */
export function isMergeNews(before: PullSnapshot | undefined, now: PullSnapshot): boolean {
  return now.state === 'merged' && (before === undefined ? now.isNews === true : before.state === 'open');
}

/** As the engine names the branch of a revert: the servers were put back before, or never changed. */
export function isRevert({ headRef, fork }: PullSnapshot): boolean {
  return !fork && /^doaas\/revert-\d+(-\d)?$/.test(headRef);
}

/** Whether there is something to plan that was not there before. */
export function isNews(
  before: PullSnapshot | undefined,
  now: PullSnapshot,
  lost?: PullState['lost'],
): boolean {
  if (lost !== undefined) return true;
  const reopened = before?.state !== 'open' || (before.draft && !now.draft);
  // also where both branches are at the same commit
  return (
    reopened ||
    sideBranch(before) !== sideBranch(now) ||
    before.headSha !== now.headSha ||
    before.baseSha !== now.baseSha
  );
}

export function gateContext(state: PullState, request: Request | undefined): GateContext {
  const { pushers, vouched, snapshot, plan } = state;
  return {
    ...(pushers === undefined ? {} : { pushers }),
    ...(vouched === undefined ? {} : { vouched }),
    ...(request?.override === undefined ? {} : { override: { ...request.override, by: request.actor } }),
    ...(snapshot?.state === 'merged' ? { merged: true } : {}),
    ...(plan !== undefined && wasBegun(state, plan) ? { onlyAsked: true } : {}),
  };
}

/** What a run of this plan is, but for its name and its pull request. */
export function runOf(
  state: PullState,
  plan: PlanRef,
  request: Request,
  mergeSha: string | undefined,
): Omit<RunRef, 'run' | 'pull'> {
  return {
    plan,
    actor: request.actor,
    event: eventOf(request, mergeSha),
    context: gateContext(state, request),
    ...(mergeSha === undefined ? {} : { mergeSha }),
  };
}

/** For the audit log. */
export function eventOf({ commentId, deliveryId }: Request, mergeSha?: string): RunEvent {
  if (commentId !== undefined) return { kind: 'comment', id: commentId };
  if (deliveryId !== undefined) return { kind: 'button', delivery: deliveryId };
  return { kind: mergeSha === undefined ? 'approval' : 'merge' };
}

/** Forks are validated only, unless somebody who may write has named this head. */
export function mayPlan({ vouched }: PullState, { fork, headSha }: PullSnapshot): boolean {
  return !fork || vouched === headSha;
}

/**
 * A comment carries no SHA: it means the head that its writer can have seen. GitHub's times have whole seconds, so one of the
 * second in which a newer head was noticed may have meant the older one.
 */
export function meantAnOlderHead(state: PullState, request: Request): boolean {
  const { movedAt } = state;
  const unnamed = request.commentId !== undefined && request.headSha === undefined;
  return unnamed && movedAt !== undefined && Date.parse(request.at) <= movedAt;
}

/** A plan that policy lets begin by itself, and that was not begun so before. */
export function beginsByItself(state: PullState, gate: Gate, plan: PlanRef): boolean {
  return gate.ready && needsNoCommand(state, gate, plan);
}

/** It may have read the checks before the last of them ended, which nothing else would tell it. */
export function mayHaveMissed({ checked }: PullState, gate: Gate): boolean {
  return checked === true && gate.waitsForChecks === true;
}

/** The same once its change window opens, with nothing running. */
export function opensByItself(state: PullState): boolean {
  const { snapshot, gate, plan, running } = state;
  if (running !== undefined || plan === undefined || snapshot?.state !== 'open') return false;
  return gate?.opensAt !== undefined && needsNoCommand(state, gate, plan);
}

/** The same once all is there that is missing now, whatever that is. */
export function mayYetBegin(state: PullState): boolean {
  const { snapshot, gate, plan, running } = state;
  if (running !== undefined || plan === undefined || snapshot?.state !== 'open') return false;
  return gate?.trigger === 'approval' && !wasBegun(state, plan);
}

function needsNoCommand(state: PullState, gate: Gate, plan: PlanRef): boolean {
  return gate.trigger === 'approval' && starterOf(gate) !== undefined && !wasBegun(state, plan);
}

function wasBegun({ begun = [] }: PullState, plan: PlanRef): boolean {
  return begun.includes(nameOf(plan));
}

/** Whose approval begins a plan: the latest. */
export function starterOf({ starters, approvedBy }: Gate): string | undefined {
  return (starters ?? approvedBy).at(-1);
}

/** It was begun, or is not to begin by itself. */
export function withBegun(state: PullState, plan: PlanRef): PullState {
  return { ...state, begun: [...(state.begun ?? []), nameOf(plan)].slice(-BEGUN_MAX) };
}

function nameOf({ headSha, digest }: PlanRef): string {
  return `${headSha} ${digest}`;
}

/** What nobody asked for in words: the last reviewer's approval, or the merge. */
export function requestBy(actor: string, { headSha }: Pick<PlanRef, 'headSha'>, at: number): Request {
  return { command: 'apply', actor, at: new Date(at).toISOString(), commentId: undefined, headSha };
}

/** Hints to look again; one look answers all that came before it. */
export function saysTheSame(a: PullEvent, b: PullEvent): boolean {
  if (a.kind !== b.kind || a.kind === 'asked' || a.kind === 'misspelt') return false;
  if (a.kind === 'notice-changed') return false;
  return newsOf(a) === newsOf(b);
}

function newsOf(event: PullEvent): string | boolean | undefined {
  if (event.kind === 'base-moved') return event.servers;
  return event.kind === 'changed' ? event.pushedBy?.login : undefined;
}

/** For the query `pullStatus`. */
export function statusOf({ snapshot, plan, running }: PullState) {
  return { headSha: snapshot?.headSha ?? '', plan, deployment: running?.run };
}
