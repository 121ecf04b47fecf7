import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import type { RecoverableRun, RunEnd, RunRef } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { applyAndVerify, type Stop } from './applying.ts';
import { causeOf } from './cause.ts';
import {
  type Control,
  decide,
  isUnwanted,
  keptAs,
  listen,
  show,
  whileWanted,
  whyUnwanted,
} from './control.ts';
import { type Fleet, isUntouched, leftOutOf, newFleet, rolloutOf } from './fleet.ts';
import { askAgainAfter } from './lockRetry.ts';
import { type DeploymentEnded, deploymentEnded } from './messages.ts';
import type { FinalPhase, Stale } from './phases.ts';
import { sideBranch } from './pullState.ts';
import { rollBack } from './rollingBack.ts';
import { confirmPlan, recoverRun, withSites } from './sites.ts';

/**
 * One run: locks, compare, apply in waves, verify, merge; or roll back. It outlives the pull request's workflow and
 * reports to it. Undo is registered before the first effect and cannot be cancelled.
 */
export async function deployment(asked: RunRef, parent: string): Promise<RunEnd> {
  const progress = listen();
  const run = withSites(asked, await short.startRun(asked, 'apply'));
  const end = await CancellationScope.nonCancellable(async () => {
    const result = (await takeLocks(run, progress)) ?? (await changeHosts(run, progress));
    progress.at = 'over';
    const shown = await withRevert(run, result);
    await show(run, shown);
    await short.endRun(run, endOf(result), result.kind === 'applied' ? result.mergeSha : undefined);
    if (result.kind !== 'held') await short.releaseLocks(run.run);
    return shown;
  });
  await report(parent, run, end);
  return endOf(end);
}

/**
 * What is merged and not applied now is taken back from the branch as well, unless a person keeps it. That is what was
 * merged before it was applied, or by hand while it was.
 */
async function withRevert(run: RunRef, phase: FinalPhase): Promise<FinalPhase> {
  if (phase.kind === 'applied' || (phase.kind === 'held' && phase.kept === true)) return phase;
  if (run.mergeSha === undefined && !(await wasMergedMeanwhile(run, phase))) return phase;
  const revert = await short
    .openRevert(run)
    .catch((error: unknown) => ({ refused: causeOf(error).replace(/\.$/, '') }));
  if (typeof revert === 'number') return { ...phase, revert };
  log.warn('the revert could not be opened', { run: run.run, reason: revert.refused });
  if (phase.kind === 'rolled-back') return { ...phase, revert };
  return { ...phase, revert, reason: `${phase.reason}; its revert could not be opened: ${revert.refused}` };
}

/** A run that changed nothing has not been overtaken by anything. */
async function wasMergedMeanwhile({ pull }: RunRef, phase: FinalPhase): Promise<boolean> {
  if (phase.kind === 'stale' || !patched('revert-merged-meanwhile')) return false;
  const now = await short.readPull(pull).catch(() => undefined);
  // the branch that says what its servers are has not got it
  return now?.state === 'merged' && sideBranch(now) === undefined;
}

function endOf(phase: FinalPhase): RunEnd {
  return phase.kind;
}

/**
 * Undefined: the run has its hosts, or is not wanted any more. Else how it ends, as it cannot have them.
 * `mend`: what is done about dead runs on its hosts; undefined when nothing is left of them.
 */
export async function takeLocks(
  run: RunRef,
  progress: Control,
  mend: (runs: readonly RecoverableRun[]) => Promise<string | undefined> = (runs) => recoverShown(run, runs),
): Promise<Stale | undefined> {
  for (let asked = 1; ; asked += 1) {
    const answer = await short.acquireLocks(run, workflowInfo().workflowId);
    if (answer.kind === 'granted' || isUnwanted(progress)) return undefined;
    if (answer.kind === 'needs-recovery') {
      const left = await mend(answer.runs);
      if (left !== undefined) return { kind: 'stale', reason: left };
      continue;
    }
    if (answer.kind === 'full') return { kind: 'stale', reason: answer.reason, final: true };
    await show(run, { kind: 'waiting', position: answer.position, behind: answer.behind });
    await condition(() => progress.released || isUnwanted(progress), askAgainAfter(answer.position, asked));
    progress.released = false;
  }
}

async function recoverShown(run: RunRef, runs: readonly RecoverableRun[]): Promise<string | undefined> {
  await show(run, { kind: 'recovering' });
  return recover(run, runs);
}

/** Undefined when nothing is left of the dead runs; else the sentence that says what is. */
export async function recover(run: RunRef, runs: readonly RecoverableRun[]): Promise<string | undefined> {
  for (const dead of runs) {
    const outcome = await recoverRun(run, dead).catch((error: unknown) => ({
      kind: 'held' as const,
      reason: causeOf(error),
    }));
    if (outcome.kind !== 'rolled-back')
      return `what the earlier run ${dead.run} left on ${dead.hosts.join(', ')} could not be undone: ${outcome.reason}`;
  }
  return undefined;
}

async function changeHosts(asked: RunRef, progress: Control): Promise<FinalPhase> {
  const unwanted = whyUnwanted(progress);
  if (unwanted !== undefined) return { kind: 'stale', reason: unwanted };
  await show(asked, { kind: 'comparing' });
  const confirmed = await whileWanted(progress, () => confirmPlan(asked)).catch((error: unknown) => {
    return { kind: 'changed' as const, reason: whyUnwanted(progress) ?? causeOf(error) };
  });
  if (confirmed.kind === 'changed') return { kind: 'stale', reason: confirmed.reason };
  const run = onBase(asked, confirmed.baseSha);
  const fleet = newFleet(confirmed.windows);
  const stop = await applyAndVerify(run, fleet, progress);
  if (stop !== undefined) return endStopped(run, fleet, progress, stop);
  if (run.mergeSha !== undefined) return applied(run, fleet, { mergeSha: run.mergeSha, differs: false });
  progress.at = 'merging';
  await show(run, { kind: 'merging' });
  const merged = await short.mergePull(run).catch((error: unknown) => {
    return { kind: 'refused' as const, reason: `GitHub refused the merge: ${causeOf(error)}` };
  });
  if (merged.kind === 'refused') return putBack(run, fleet, progress, merged.reason);
  const { mergeSha, differs } = merged;
  return applied(run, fleet, { mergeSha, differs });
}

function onBase(run: RunRef, baseSha: string | undefined): RunRef {
  return baseSha === undefined ? run : { ...run, plan: { ...run.plan, baseSha } };
}

function applied(
  run: RunRef,
  fleet: Fleet,
  merge: { readonly mergeSha: string; readonly differs: boolean },
): FinalPhase {
  const leftOut = leftOutOf(fleet, run);
  return { kind: 'applied', ...merge, ...(leftOut.length === 0 ? {} : { leftOut }) };
}

/**
 * Rolls back, unless a person or the rollout wants to be asked first, and the answer is to keep what is done. Where nothing is
 * done there is nothing to ask.
 */
async function endStopped(run: RunRef, fleet: Fleet, control: Control, stop: Stop): Promise<FinalPhase> {
  if (stop.kind === 'asked' && isUntouched(fleet) && patched('nothing-to-keep'))
    return { kind: 'stale', reason: stop.reason };
  const holds = rolloutOf(run).onExceeded === 'hold' && control.cancelled === undefined;
  if (stop.kind === 'failed' && !holds) return putBack(run, fleet, control, stop.reason);
  const answer = await decide(run, control, stop.reason, stop.kind === 'asked');
  if (answer === 'rollback') return putBack(run, fleet, control, control.cancelled ?? stop.reason);
  return keptAs(control, stop.reason);
}

function finalOf(end: FinalPhase): Pick<DeploymentEnded, 'final'> {
  return end.kind === 'stale' && end.final === true ? { final: true } : {};
}

function putBack(run: RunRef, fleet: Fleet, control: Control, reason: string): Promise<FinalPhase> {
  control.at = 'rolling-back';
  return rollBack(run, fleet, reason);
}

/** The pull request's workflow may be gone; the run does not depend on it. */
async function report(parent: string, run: RunRef, end: FinalPhase): Promise<void> {
  const reason = 'reason' in end ? end.reason : '';
  await getExternalWorkflowHandle(parent)
    .signal(deploymentEnded, { run: run.run, end: endOf(end), reason, ...finalOf(end) })
    .catch(() => undefined);
}
