import { condition, isCancellation, patched } from '@temporalio/workflow';
import type {
  Answer,
  Gate,
  GateContext,
  PlanRef,
  PullRef,
  PullSnapshot,
  Request,
} from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { attempt } from './attempt.ts';
import { causeOf } from './cause.ts';
import { leastWait } from './early.ts';
import { mergedUnapplied } from './help.ts';
import type { DeploymentEnded } from './messages.ts';
import {
  ATTEMPTS_MAX,
  beginsByItself,
  gateContext,
  isFreed,
  isMergeNews,
  isRevert,
  opensByItself,
  type PullState,
  type Running,
  requestBy,
  sideBranch,
  starterOf,
  waitsForWindow,
  windowOf,
  withBegun,
} from './pullState.ts';
import { replansAt } from './replan.ts';

/** What the policy's part of a pull request's workflow needs of the rest of it. */
export interface Desk {
  readonly pull: PullRef;
  readonly state: () => PullState;
  readonly change: (change: Partial<PullState>) => void;
  /** Planning that runs has ended. */
  readonly settled: () => Promise<void>;
  /** `force`: plans also where nothing is new. */
  readonly look: (force: boolean) => Promise<void>;
  readonly apply: (request: Request) => Promise<void>;
  /** `mergeSha`: the change is merged already. */
  readonly deploy: (plan: PlanRef, request: Request, attempt?: number, mergeSha?: string) => Promise<void>;
}

/** Judges the plan by the policy of the default branch, and shows it. */
export async function judge(
  desk: Desk,
  plan: PlanRef,
  request?: Request,
  how: Pick<GateContext, 'keepsComment'> = {},
): Promise<Gate> {
  const context = { ...gateContext(desk.state(), request), ...how };
  const gate = await short.gatePull(desk.pull, plan, context);
  desk.change({ gate, ...(gate.opensAt === undefined ? { early: 0 } : {}) });
  return gate;
}

/** For who asked. What an override takes away is missing all the same as long as it has begun nothing. */
async function judgeFor(desk: Desk, plan: PlanRef, request: Request): Promise<Gate> {
  const gate = await judge(desk, plan, request);
  if (request.override !== undefined && !gate.ready && patched('judge-plainly')) await judge(desk, plan);
  return gate;
}

/** After a run that is not merged: what its override took away is missing again, and it begins by itself no more. */
export async function judgeEnded(desk: Desk): Promise<void> {
  const { snapshot, plan } = desk.state();
  if (snapshot?.state !== 'open' || plan === undefined || !patched('judge-ended')) return;
  await judge(desk, plan, undefined, { keepsComment: true });
}

/** It became a draft, which is not applied. Planned it is already. */
export async function noticeDraft(desk: Desk, before: PullSnapshot | undefined): Promise<void> {
  const { snapshot } = desk.state();
  if (before?.draft === false && snapshot?.draft === true && patched('show-draft')) await judgeAgain(desk);
}

/** The gate may have opened: judges again, and begins where policy lets a plan begin by itself. */
export async function judgeAgain(desk: Desk): Promise<void> {
  await desk.settled();
  const { plan, running } = desk.state();
  if (plan === undefined || running !== undefined) return;
  const gate = await judge(desk, plan);
  if (beginsByItself(desk.state(), gate, plan))
    await desk.deploy(plan, requestBy(starterOf(gate) ?? '', plan, Date.now() - (gate.aheadMs ?? 0)));
}

/** Somebody wants this plan applied. */
export async function begin(desk: Desk, plan: PlanRef, request: Request): Promise<void> {
  const no = (text: string): Promise<void> => short.answer(desk.pull, request, text);
  const gate = await judgeFor(desk, plan, request);
  if (gate.trigger === 'merge' && request.override === undefined)
    return no('The policy applies after the merge: merge this pull request once `doaas/plan` is green.');
  if (gate.opensAt !== undefined) return waitForWindow(desk, request, gate.opensAt);
  if (!gate.ready) return no(`Not applied. Missing: ${gate.missing.join('; ')}.`);
  if (request.override !== undefined) await short.recordOverride(desk.pull, plan, request, gate.lifted ?? []);
  await desk.deploy(plan, request);
}

/** The approval covers the plan, not the base: when planning again gives the same plan, it runs, unless somebody cancelled it or it is final. */
export async function goOn(
  desk: Desk,
  { plan, request, attempt, stopped = false }: Running,
  { reason, final }: Pick<DeploymentEnded, 'reason' | 'final'>,
): Promise<void> {
  await desk.settled();
  const now = desk.state().plan;
  const ends = attempt >= ATTEMPTS_MAX || final === true || (stopped && patched('cancelled-stays-so'));
  if (now?.digest === plan.digest && now.headSha === plan.headSha && !ends) {
    if (await mayNoMore(desk, request)) return;
    const gate = await judgeFor(desk, now, request);
    // somebody may have merged it while it waited, in which case the policy applies after the merge
    if (gate.ready) return desk.deploy(now, request, attempt + 1, desk.state().snapshot?.mergeSha);
    if (gate.opensAt !== undefined) return waitForWindow(desk, request, gate.opensAt);
  }
  if (patched('answer-stale')) await short.answer(desk.pull, request, { kind: 'not-applied', reason });
}

/** Until something is to be done; a window that opens meanwhile is attended to, and servers that were away are looked at again. */
export async function awaitNext(desk: Desk, isAwake: () => boolean): Promise<void> {
  if (isFreed(desk.state())) return attempt(() => windowOpened(desk));
  const opens = windowOf(desk.state());
  const looks = replansAt(desk.state());
  const awake = (): boolean =>
    isAwake() ||
    isFreed(desk.state()) ||
    windowOf(desk.state()) !== opens ||
    replansAt(desk.state()) !== looks;
  const due = Math.min(opens ?? Number.POSITIVE_INFINITY, looks ?? Number.POSITIVE_INFINITY);
  const least = leastWait(due === opens ? (desk.state().early ?? 0) : 0);
  if (due === Number.POSITIVE_INFINITY) await condition(awake);
  // no later than that, and no sooner: a timer of the workflow, which survives everything
  else if (!(await condition(awake, Math.max(due - Date.now(), least))))
    await attempt(() => (due === opens ? windowOpened(desk) : desk.look(true)));
}

/** A change window opened, or there is none any more: what waited for it goes on, else the check says what holds now. */
export async function windowOpened(desk: Desk): Promise<void> {
  await desk.settled();
  const { pending, gate, mergeSeen, early = 0 } = desk.state();
  const { opensAt: _, ...rest } = gate ?? { ready: false, missing: [], approvedBy: [] };
  desk.change({ gate: rest, pending: undefined, early: early + 1 });
  if (pending === undefined) return judgeAgain(desk);
  if (mergeSeen !== true && (await mayNoMore(desk, pending))) return judgeAgain(desk);
  await (mergeSeen === true ? applyMerged(desk, pending) : desk.apply(pending));
}

/** Whoever asked days ago may have lost access since, or the policy names others; then they are told. */
async function mayNoMore(desk: Desk, request: Request): Promise<boolean> {
  if (!patched('who-asked-still-may')) return false;
  const refusal = await short.refusal(desk.pull, request);
  if (refusal === undefined) return false;
  await short.answer(
    desk.pull,
    request,
    `What you asked for waited, and is not applied any more: ${refusal}`,
  );
  return true;
}

export function waitForWindow(desk: Desk, request: Request, opensAt: number): Promise<void> {
  desk.change({
    pending: request,
    ...(patched('window-gone') ? { pendingUntil: windowOf(desk.state()) ?? opensAt } : {}),
  });
  const when = new Date(opensAt).toISOString().slice(0, 16).replace('T', ' ');
  const text = `The change window is shut. This is applied by itself when it opens, ${when} UTC, if head, plan and approvals still hold then. \`/doaas cancel\` or \`/doaas rollback\` takes that back.`;
  return short.answer(desk.pull, request, text);
}

/** Somebody merged it on GitHub. Where policy applies after the merge, that begins it; else it is a merge like any. */
export async function noticeMerge(desk: Desk, before: PullSnapshot | undefined): Promise<void> {
  const { snapshot } = desk.state();
  if (snapshot === undefined || !isMergeNews(before, snapshot)) return;
  await desk.settled();
  const { plan, running, mergeSeen } = desk.state();
  if (running !== undefined || mergeSeen === true || sideBranch(snapshot) !== undefined) return;
  if (plan === undefined) return noticeUnplanned(desk, snapshot, before);
  const gate = await gateOfMerged(desk, plan, snapshot);
  if (gate?.trigger !== 'merge') return tellUnapplied(desk, plan, snapshot, gate?.trigger);
  desk.change({ mergeSeen: true });
  const request = requestBy(snapshot.mergedBy ?? 'ghost', plan, Date.now());
  await applyMerged(desk, { ...request, merged: true });
}

/** The branch says what its servers are not, and nothing else would say so. */
async function tellUnapplied(
  desk: Desk,
  plan: PlanRef,
  snapshot: PullSnapshot,
  trigger: Gate['trigger'],
): Promise<void> {
  if (trigger === undefined || plan.hosts.length === 0 || isRevert(snapshot) || !patched('tell-merge'))
    return;
  const request = requestBy(snapshot.mergedBy ?? 'ghost', plan, Date.now());
  await short.answer(desk.pull, request, mergedUnapplied(trigger));
}

/** It could not be judged, or when it was, it went into a branch whose merge begins nothing. */
async function gateOfMerged(
  desk: Desk,
  plan: PlanRef,
  { defaultBranch }: PullSnapshot,
): Promise<Gate | undefined> {
  const { gate } = desk.state();
  // what an older engine read is decided as it did
  return gate?.trigger === undefined && defaultBranch !== undefined ? judge(desk, plan) : gate;
}

/** Nobody could approve it, so it is not applied. Where there was nothing to do, all is said. */
async function noticeUnplanned(
  desk: Desk,
  snapshot: PullSnapshot,
  before: PullSnapshot | undefined,
): Promise<void> {
  if (snapshot.defaultBranch === undefined) return;
  // of another base than that of the merge nothing is known
  const planned = before !== undefined && sideBranch(before) === undefined ? before : undefined;
  if (desk.state().idle === true && planned?.headSha === snapshot.headSha) return;
  desk.change({ mergeSeen: true });
  const base = planned === undefined ? undefined : { baseSha: planned.baseSha };
  const text = await short.revertUnplanned(desk.pull, base);
  if (text === undefined) return;
  await short.answer(desk.pull, requestBy(snapshot.mergedBy ?? 'ghost', snapshot, Date.now()), text);
}

async function applyMerged(desk: Desk, request: Request): Promise<void> {
  const { plan, snapshot } = desk.state();
  if (plan === undefined || snapshot?.mergeSha === undefined) return;
  const refusal = await short.refusal(desk.pull, request);
  const gate = await judge(desk, plan, request);
  const missing = [...(refusal === undefined ? [] : [refusal]), ...gate.missing];
  if (missing.length === 0) return desk.deploy(plan, request, 1, snapshot.mergeSha);
  if (refusal === undefined && gate.opensAt !== undefined) return waitForWindow(desk, request, gate.opensAt);
  await revertUnapplied(desk, request, `Merged, but not applied. Missing: ${missing.join('; ')}.`);
}

/** The branch says what the hosts are not: takes it back there. */
async function revertUnapplied(desk: Desk, request: Request, why: string): Promise<void> {
  const { plan, snapshot } = desk.state();
  if (plan === undefined || snapshot?.mergeSha === undefined) return;
  const { mergeSha } = snapshot;
  const run = { run: `pr${desk.pull.number}-merge`, pull: desk.pull, plan, actor: request.actor, mergeSha };
  await short.answer(desk.pull, request, await short.openRevert(run).then(reverted(why), notReverted(why)));
}

function reverted(why: string) {
  return (revert: number): Answer => `${why} Nothing was changed; pull request #${revert} reverts it.`;
}

function notReverted(why: string) {
  return (error: unknown): Answer => {
    if (isCancellation(error) || !patched('say-refused-revert')) throw error;
    return { kind: 'not-reverted', why, reason: causeOf(error) };
  };
}

/** Something is applied when its change window opens: somebody has asked for it, or it begins by itself. */
export async function waitsToOpen(desk: Desk): Promise<boolean> {
  if (waitsForWindow(desk.state())) return true;
  if (desk.state().running !== undefined || !patched('cancel-holds')) return false;
  await desk.settled();
  return opensByItself(desk.state());
}

/** `/doaas rollback` or `/doaas cancel` while only a window is waited for. */
export async function dropPending(desk: Desk, request: Request): Promise<void> {
  desk.change({ pending: undefined });
  const why = 'It no longer waits for the change window.';
  if (desk.state().mergeSeen === true) return revertUnapplied(desk, request, why);
  if (patched('cancel-holds')) await keepToCommand(desk);
  await short.answer(desk.pull, request, `${why} Nothing was applied. \`/doaas apply\` asks for it again.`);
}

/** The plan does not begin by itself any more, which the check says. */
export async function keepToCommand(desk: Desk): Promise<void> {
  await desk.settled();
  const { plan } = desk.state();
  if (plan === undefined) return;
  desk.change(withBegun(desk.state(), plan));
  await judge(desk, plan);
}

/** `/doaas plan SHA`: undefined where the head is that one; a fork's may then be planned. Else the answer. */
export async function vouch(desk: Desk, { commentId, headSha: named }: Request): Promise<string | undefined> {
  if (commentId === undefined || named === undefined) return undefined;
  const { headSha } = await short.readPull(desk.pull);
  if (named !== headSha) return `The head is ${headSha} now, not ${named}. Nothing was done.`;
  desk.change({ vouched: named });
  return undefined;
}
