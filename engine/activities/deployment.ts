import { cancelBatch } from '../hosts/batchRun.ts';
import type { Json } from '../operations/operation.ts';
import { StoreError } from '../store/error.ts';
import { entryOf, receiptsNamed, toldIn } from './auditRun.ts';
import { batchName } from './batchName.ts';
import { confirmPlan } from './confirm.ts';
import { confirmCorrection } from './confirmCorrection.ts';
import type { Engine } from './engine.ts';
import { applyHost, hostOf } from './hostRun.ts';
import { undoHost } from './hostUndo.ts';
import { lateRefusal } from './lateRefusal.ts';
import { acquireLocks, recoverRun, releaseLocks } from './locks.ts';
import { mergePull } from './mergeRun.ts';
import { fullName } from './pull.ts';
import { reaching } from './reaching.ts';
import { reportSecurity } from './reportSecurity.ts';
import { revert } from './revert.ts';
import { resolveRun } from './runRevision.ts';
import type { RunDetail } from './runViews.ts';
import { showRun } from './showRun.ts';
import { rolloutActivities } from './silentHosts.ts';
import { elsewhereOf } from './sites.ts';
import type { DeploymentActivities, LockOutcome, RunEnd, RunRef, RunStart } from './types.ts';
import { verifyHosts } from './verify.ts';

/** What the deployment and rollback workflows call. */
export function deploymentActivities(engine: Engine): DeploymentActivities {
  return {
    startRun: (run, kind) => startRun(engine, run, kind),
    acquireLocks: (run, workflowId) => unlessFull(acquireLocks(engine, run, workflowId)),
    releaseLocks: (run) => releaseLocks(engine, run),
    recoverRun: (run, dead) => recoverRun(engine, run, dead),
    confirmPlan: (run, parts, here) =>
      run.correction === undefined ? confirmPlan(engine, run, parts) : confirmCorrection(engine, run, here),
    applyHost: (run, host, wave) => applyHost(engine, run, host, wave),
    cancelHost: (run, host, wave) => cancelHost(engine, run, host, wave),
    verifyHosts: (run, leftOut, scope, site) => verifyHosts(engine, run, leftOut, scope, site),
    ...rolloutActivities(engine),
    undoHost: (run, host, waves, late, holder) => undoHost(engine, run, host, waves, late, holder),
    showRun: (run, phase) => showRun(engine, run, phase),
    mergePull: (run) => mergePull(engine, run),
    openRevert: (run) => revert(engine, run),
    endRun: (run, end, mergeSha) => endRun(engine, run, end, mergeSha),
  };
}

/** Tried again, it would be refused for as long as the queue is full, and nobody told. */
async function unlessFull(asked: Promise<LockOutcome>): Promise<LockOutcome> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof StoreError && error.type === 'store-bound')
      return { kind: 'full', reason: error.message };
    throw error;
  }
}

async function startRun(
  engine: Engine,
  run: RunRef,
  kind: Parameters<DeploymentActivities['startRun']>[1],
): Promise<RunStart | undefined> {
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
  await engine.store.runs.update(run.run, { state: 'running' }, entryOf(run, kind));
  const refused = kind === 'rollback' ? await refusalOf(engine, run) : undefined;
  const sites = engine.config.sites === undefined ? {} : { elsewhere: await sitesElsewhere(engine, run) };
  return { ...sites, ...(refused === undefined ? {} : { refused }) };
}

/** A plan that is gone is told of where its steps are needed. */
async function refusalOf({ store }: Engine, { plan }: RunRef): Promise<string | undefined> {
  const stored = await store.plans.get(plan.digest);
  return stored === undefined ? undefined : lateRefusal(stored);
}

/** Also of hosts that the run does not change, but looks at when it verifies. */
async function sitesElsewhere(engine: Engine, run: RunRef): Promise<readonly string[]> {
  const { changed } = await resolveRun(engine, run);
  return elsewhereOf(engine, changed).elsewhere ?? [];
}

async function endRun(engine: Engine, run: RunRef, end: RunEnd, mergeSha: string | undefined): Promise<void> {
  const state = end === 'stale' ? 'cancelled' : end;
  const other = await leavesOther(engine, run, end);
  if (other) await forgetSettled(engine, run);
  const merge = mergeSha === undefined ? {} : { mergeSha };
  const receipts = await engine.store.receipts.ofRun(run.undoes ?? run.run);
  const told = run.undoes === undefined ? toldIn(receipts) : {};
  const entry = entryOf(run, end, { ...receiptsNamed(receipts), ...told, ...merge });
  await engine.store.runs.update(run.run, { state, ...merge }, entry);
  if (end !== 'stale' && (other || end === 'applied')) await reportSecurity(engine, run);
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

async function cancelHost(engine: Engine, run: RunRef, host: string, wave: number): Promise<void> {
  const { target } = await hostOf(engine, run, host);
  await reaching(engine, target, (session) => cancelBatch(session, batchName(run.run, wave)));
}
