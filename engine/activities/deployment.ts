import type { GitHubClient } from '../github/client.ts';
import {
  branchTip,
  getPull,
  type MergeMethod,
  mergePull as mergeOnGitHub,
  type PullRequest,
} from '../github/pulls.ts';
import { openRevert } from '../github/revert.ts';
import { cancelBatch } from '../hosts/batchRun.ts';
import type { Json } from '../operations/operation.ts';
import { coveredBy } from '../plan/digest.ts';
import type { Plan, Step } from '../plan/step.ts';
import type { StoredReceipt } from '../store/receipts.ts';
import { confirmCorrection } from './confirmCorrection.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { judgePull } from './gate.ts';
import { applyHost, batchName, hostOf, undoHost } from './hostRun.ts';
import { acquireLocks, recoverRun, releaseLocks } from './locks.ts';
import { holdingPolicy } from './policy.ts';
import { assemble, fullName, planRevision } from './pull.ts';
import { reaching } from './reaching.ts';
import { revisionOf } from './runRevision.ts';
import type { RunDetail } from './runViews.ts';
import { showRun } from './showRun.ts';
import { rolloutActivities } from './silentHosts.ts';
import type { ConfirmOutcome, DeploymentActivities, MergeOutcome, PullRef, RunEnd, RunRef } from './types.ts';
import { verifyHosts } from './verify.ts';

/** What the deployment and rollback workflows call. */
export function deploymentActivities(engine: Engine): DeploymentActivities {
  return {
    startRun: (run, kind) => startRun(engine, run, kind),
    acquireLocks: (run, workflowId) => acquireLocks(engine, run, workflowId),
    releaseLocks: (run) => releaseLocks(engine, run),
    recoverRun: (run, dead) => recoverRun(engine, run, dead),
    confirmPlan: (run) =>
      run.correction === undefined ? confirmPlan(engine, run) : confirmCorrection(engine, run),
    applyHost: (run, host, wave) => applyHost(engine, run, host, wave),
    cancelHost: (run, host, wave) => cancelHost(engine, run, host, wave),
    verifyHosts: (run, leftOut, scope) => verifyHosts(engine, run, leftOut, scope),
    ...rolloutActivities(engine),
    undoHost: (run, host, waves, late, holder) => undoHost(engine, run, host, waves, late, holder),
    showRun: (run, phase) => showRun(engine, run, phase),
    mergePull: (run) => mergePull(engine, run),
    openRevert: (run) => revert(engine, run),
    endRun: (run, end, mergeSha) => endRun(engine, run, end, mergeSha),
  };
}

async function startRun(
  engine: Engine,
  run: RunRef,
  kind: Parameters<DeploymentActivities['startRun']>[1],
): Promise<void> {
  if (kind === 'rollback') await forgetSettled(engine, run);
  await engine.store.runs.create({
    id: run.run,
    repository: fullName(run.pull),
    pullNumber: run.pull.number,
    kind,
    planDigest: run.plan.digest,
    headSha: run.plan.headSha,
    baseSha: run.plan.baseSha,
    actor: run.actor,
    detail: { ref: run as unknown as Json },
  });
  await engine.store.runs.update(run.run, { state: 'running' });
  await audit(engine, run, kind);
}

async function endRun(engine: Engine, run: RunRef, end: RunEnd, mergeSha: string | undefined): Promise<void> {
  const state = end === 'stale' ? 'cancelled' : end;
  if (await leavesOther(engine, run, end)) await forgetSettled(engine, run);
  await engine.store.runs.update(run.run, { state, ...(mergeSha === undefined ? {} : { mergeSha }) });
  await audit(engine, run, end, {
    receipts: receiptCounts(await engine.store.receipts.ofRun(run.run)),
    ...(mergeSha === undefined ? {} : { mergeSha }),
  });
}

/** Whether what was taken to be in force is not so any more: by a half-done run, or one that was verified and yet taken back. */
async function leavesOther(engine: Engine, run: RunRef, end: RunEnd): Promise<boolean> {
  const stored = await engine.store.runs.get(run.run);
  // also at its end: a reading meanwhile may have found what was not yet taken back
  if (end === 'held' || stored?.kind === 'rollback') return true;
  if (end !== 'rolled-back' || run.correction !== undefined) return false;
  return ((stored?.detail ?? {}) as RunDetail).verify?.state === 'verified';
}

/** What is taken back is in force no more, though the branch says it until the revert is merged. */
function forgetSettled(engine: Engine, run: RunRef): Promise<void> {
  return engine.store.settled.forget(
    fullName(run.pull),
    run.plan.hosts.map(({ identity }) => identity),
  );
}

/** Steps by the state that their receipts came to. */
function receiptCounts(receipts: readonly StoredReceipt[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of receipts) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function audit(
  engine: Engine,
  run: RunRef,
  what: string,
  more: Readonly<Record<string, Json>> = {},
): Promise<void> {
  const { plan, pull, actor, context, mergeSha, correction } = run;
  const detail = {
    run: run.run,
    hosts: plan.hosts.map((host) => host.name),
    ...(context?.override === undefined ? {} : { override: { ...context.override } }),
    ...(mergeSha === undefined ? {} : { mergedBefore: mergeSha }),
    ...(correction === undefined ? {} : { document: correction.document }),
    ...more,
  };
  return engine.store.audit.append({
    who: actor,
    what,
    repository: fullName(pull),
    pull: pull.number,
    headSha: plan.headSha,
    digest: plan.digest,
    detail,
  });
}

/** The approval covers head, base and the plan on fresh facts; anything else voids it, with the difference. */
async function confirmPlan(engine: Engine, run: RunRef): Promise<ConfirmOutcome> {
  const { pull, plan } = run;
  const client = await engine.github.installationClient(pull.repository.installationId);
  const now = await getPull(client, pull.repository, pull.number);
  const moved = await movedSince(client, run, now);
  if (moved !== undefined) return { kind: 'changed', reason: moved };
  const { verdict } = await judgePull(engine, pull, plan, run.context ?? {});
  if (!verdict.ready)
    return { kind: 'changed', reason: `it is not ready any more. Missing: ${verdict.missing.join('; ')}` };
  const resolved = await engine.revisions.resolve(pull, revisionOf(run));
  if (resolved.kind === 'conflict')
    return { kind: 'changed', reason: 'the branch conflicts with its base now' };
  const made = assemble(await planRevision(engine, pull, resolved, plan.headSha));
  const awaited = (plan.rollout?.unreachable ?? 'fail') !== 'fail';
  const problem = made.problems.find(({ away }) => !(away && awaited));
  if (problem !== undefined) return { kind: 'changed', reason: problem.message };
  const approved = await engine.store.plans.get(plan.digest);
  const other = made.plan.hosts.filter(
    ({ host, steps }) => plan.skipped?.includes(host) !== true && !coveredBy(stepsOf(approved, host), steps),
  );
  if (other.length === 0) return { kind: 'unchanged' };
  const names = other.map((host) => host.host).join(', ');
  return { kind: 'changed', reason: `the state of ${names} has changed since the plan` };
}

/** Undefined: what was approved is what would be merged now, or is merged. */
async function movedSince(
  client: GitHubClient,
  { pull, plan, mergeSha }: RunRef,
  now: PullRequest,
): Promise<string | undefined> {
  if (mergeSha !== undefined)
    return now.mergeSha === mergeSha ? undefined : 'the pull request is not merged as that commit';
  if (now.state !== 'open') return 'the pull request was closed before anything was applied';
  if (now.headSha !== plan.headSha) return 'a newer commit was pushed; its plan needs an approval of its own';
  const base = await branchTip(client, pull.repository, now.baseRef);
  return base === plan.baseSha ? undefined : `${now.baseRef} has moved since the plan; planning again`;
}

function stepsOf(plan: Plan | undefined, host: string): readonly Step[] {
  return plan?.hosts.find((candidate) => candidate.host === host)?.steps ?? [];
}

async function cancelHost(engine: Engine, run: RunRef, host: string, wave: number): Promise<void> {
  const { target } = await hostOf(engine, run, host);
  await reaching(engine, target, (session) => cancelBatch(session, batchName(run.run, wave)));
}

async function mergePull(engine: Engine, run: RunRef): Promise<MergeOutcome> {
  const { pull, plan } = run;
  const client = await engine.github.installationClient(pull.repository.installationId);
  const message = `Applied by run ${run.run}, plan ${plan.digest.slice(0, 12)}.`;
  const merged = await mergeOnGitHub(client, pull.repository, {
    number: pull.number,
    headSha: plan.headSha,
    method: await mergeMethod(engine, client, pull),
    message,
  });
  if (merged.kind === 'refused')
    return { kind: 'refused', reason: `GitHub refused the merge: ${merged.reason}` };
  return { kind: 'merged', mergeSha: merged.sha, differs: await differs(engine, run, merged.sha) };
}

/** As the policy says now; one that broke meanwhile does not keep an applied change from being merged. */
async function mergeMethod(engine: Engine, client: GitHubClient, pull: PullRef): Promise<MergeMethod> {
  const snapshot = await getPull(client, pull.repository, pull.number);
  const holding = await holdingPolicy(engine, client, pull.repository, snapshot);
  return (holding.kind === 'policy' ? holding.policy.spec?.mergeMethod : undefined) ?? 'merge';
}

/** Whether the merged tree is another one than what was planned. */
async function differs(engine: Engine, run: RunRef, mergeSha: string): Promise<boolean> {
  const resolved = await engine.revisions.resolve(run.pull, run.plan);
  if (resolved.kind === 'conflict') return true;
  return (await engine.revisions.treeOf(run.pull, mergeSha)) !== resolved.treeSha;
}

function revertText({ run, pull, mergeSha }: RunRef): string {
  const why =
    mergeSha === undefined
      ? `whose run \`${run}\` is being rolled back on the hosts`
      : 'which was merged and could not be applied';
  return `Takes back #${pull.number}, ${why}. Merge it so that the branch equals the hosts again.`;
}

async function revert(engine: Engine, run: RunRef): Promise<number> {
  const { pull } = run;
  const client = await engine.github.installationClient(pull.repository.installationId);
  const merged = await getPull(client, pull.repository, pull.number);
  if (merged.mergeSha === undefined)
    throw permanent(`#${pull.number} is not merged, so there is nothing to revert`);
  const opened = await openRevert(client, pull.repository, {
    number: pull.number,
    baseRef: merged.baseRef,
    mergeSha: merged.mergeSha,
    ...(await beforeRebase(engine, client, run)),
    title: `Revert #${pull.number}: ${merged.title}`.slice(0, 250),
    body: revertText(run),
  });
  return opened.number;
}

/** A rebase leaves no commit that names both sides; what was before it is the base that was planned. */
async function beforeRebase(engine: Engine, client: GitHubClient, { pull, plan }: RunRef) {
  return (await mergeMethod(engine, client, pull)) === 'rebase' ? { beforeSha: plan.baseSha } : {};
}
