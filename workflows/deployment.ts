import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { RecoverableRun, RunEnd, RunPhase, RunRef } from '../engine/activities/types.ts';
import { onHost, reading, short, undoOnHost } from './activities.ts';
import { cancelRun, deploymentEnded, locksReleased } from './messages.ts';

/** A waiting run asks again by itself after this, should the signal of a release be lost with its sender. */
const LOCK_RETRY = '30 seconds';

/** Hosts that one run changes at the same time. */
const HOSTS_AT_ONCE = 25;

type Progress = { cancelled: string | undefined; released: boolean };

/**
 * One run: locks, compare, apply in waves, verify, merge; or roll back. It outlives the pull request's workflow and
 * reports to it. Undo is registered before the first effect and cannot be cancelled.
 */
export async function deployment(run: RunRef, parent: string): Promise<RunEnd> {
  const progress: Progress = { cancelled: undefined, released: false };
  setHandler(cancelRun, (reason) => {
    progress.cancelled = reason;
  });
  setHandler(locksReleased, () => {
    progress.released = true;
  });
  await short.startRun(run, 'apply');
  const end = await CancellationScope.nonCancellable(async () => {
    const hindrance = await takeLocks(run, progress);
    const result =
      hindrance === undefined
        ? await changeHosts(run, progress)
        : { kind: 'stale' as const, reason: hindrance };
    const shown = await withRevert(run, result);
    await show(run, shown);
    await short.endRun(run, endOf(result), result.kind === 'applied' ? result.mergeSha : undefined);
    if (result.kind !== 'held') await short.releaseLocks(run.run);
    return shown;
  });
  await report(parent, run, end);
  return endOf(end);
}

type FinalPhase = Extract<RunPhase, { kind: 'applied' | 'rolled-back' | 'held' | 'stale' }>;

/** What was merged before it was applied, and is not applied now, is taken back from the branch as well. */
async function withRevert(run: RunRef, phase: FinalPhase): Promise<FinalPhase> {
  if (run.mergeSha === undefined || phase.kind === 'applied') return phase;
  const revert = await short.openRevert(run).catch((error: unknown) => {
    log.warn('the revert could not be opened', { run: run.run, reason: causeOf(error) });
    return undefined;
  });
  return revert === undefined ? phase : { ...phase, revert };
}

function endOf(phase: FinalPhase): RunEnd {
  return phase.kind;
}

/** A check that cannot be shown for good (the repository is gone) must neither end a run nor keep its hosts. */
async function show(run: RunRef, phase: RunPhase): Promise<void> {
  await short
    .showRun(run, phase)
    .catch((error: unknown) =>
      log.warn('where the run is could not be shown', { phase: phase.kind, reason: causeOf(error) }),
    );
}

/** Undefined: the run has its hosts, or is not wanted any more. Else the sentence that says why it cannot have them. */
async function takeLocks(run: RunRef, progress: Progress): Promise<string | undefined> {
  for (;;) {
    const answer = await short.acquireLocks(run, workflowInfo().workflowId);
    if (answer.kind === 'granted' || progress.cancelled !== undefined) return undefined;
    if (answer.kind === 'needs-recovery') {
      await show(run, { kind: 'recovering' });
      const left = await recover(run, answer.runs);
      if (left !== undefined) return left;
      continue;
    }
    await show(run, { kind: 'waiting', position: answer.position, behind: answer.behind });
    await condition(() => progress.released || progress.cancelled !== undefined, LOCK_RETRY);
    progress.released = false;
  }
}

/** Undefined when nothing is left of the dead runs; else the sentence that says what is. */
export async function recover(run: RunRef, runs: readonly RecoverableRun[]): Promise<string | undefined> {
  for (const dead of runs) {
    const outcome = await undoOnHost
      .recoverRun(run, dead)
      .catch((error: unknown) => ({ kind: 'held' as const, reason: causeOf(error) }));
    if (outcome.kind !== 'rolled-back')
      return `what the earlier run ${dead.run} left on ${dead.hosts.join(', ')} could not be undone: ${outcome.reason}`;
  }
  return undefined;
}

async function changeHosts(run: RunRef, progress: Progress): Promise<FinalPhase> {
  if (progress.cancelled !== undefined) return { kind: 'stale', reason: progress.cancelled };
  await show(run, { kind: 'comparing' });
  const confirmed = await reading.confirmPlan(run).catch((error: unknown) => {
    return { kind: 'changed' as const, reason: causeOf(error) };
  });
  if (confirmed.kind === 'changed') return { kind: 'stale', reason: confirmed.reason };
  const failure = await applyAndVerify(run, progress);
  if (failure !== undefined) return rollBack(run, failure);
  if (run.mergeSha !== undefined) return { kind: 'applied', mergeSha: run.mergeSha, differs: false };
  await show(run, { kind: 'merging' });
  const merged = await short.mergePull(run).catch((error: unknown) => {
    return { kind: 'refused' as const, reason: `GitHub refused the merge: ${causeOf(error)}` };
  });
  if (merged.kind === 'refused') return rollBack(run, merged.reason);
  return { kind: 'applied', mergeSha: merged.mergeSha, differs: merged.differs };
}

/** Undefined when every host is as wanted; else the sentence that says what failed. */
async function applyAndVerify(run: RunRef, progress: Progress): Promise<string | undefined> {
  await show(run, { kind: 'applying' });
  for (const wave of run.plan.waves) {
    const failure = await applyWave(run, wave, progress);
    if (failure !== undefined) return failure;
    if (progress.cancelled !== undefined) return progress.cancelled;
  }
  await show(run, { kind: 'verifying' });
  const verified = await reading.verifyHosts(run).catch((error: unknown) => {
    return { kind: 'failed' as const, reason: causeOf(error) };
  });
  if (verified.kind === 'failed') return verified.reason;
  return progress.cancelled;
}

async function applyWave(run: RunRef, wave: number, progress: Progress): Promise<string | undefined> {
  const queue = run.plan.hosts.filter((host) => host.waves.includes(wave)).map((host) => host.name);
  let failure: string | undefined;
  const running = new Set<string>();
  const stopOthers = async (): Promise<void> => {
    await Promise.all(
      [...running].map((host) => undoOnHost.cancelHost(run, host, wave).catch(() => undefined)),
    );
  };
  const worker = async (): Promise<void> => {
    for (let host = queue.shift(); host !== undefined; host = queue.shift()) {
      if (failure !== undefined || progress.cancelled !== undefined) return;
      running.add(host);
      const outcome = await applyOne(run, host, wave);
      running.delete(host);
      if (outcome !== undefined && failure === undefined) {
        failure = outcome;
        await stopOthers();
      }
    }
  };
  condition(() => progress.cancelled !== undefined).then(stopOthers, () => undefined);
  await Promise.all(Array.from({ length: Math.min(HOSTS_AT_ONCE, queue.length) }, worker));
  return failure;
}

async function applyOne(run: RunRef, host: string, wave: number): Promise<string | undefined> {
  try {
    const outcome = await onHost.applyHost(run, host, wave);
    return outcome.kind === 'failed' ? outcome.reason : undefined;
  } catch (error) {
    return `${host}: ${causeOf(error)}`;
  }
}

/** Waves in reverse; the hosts of one wave together. What cannot be put back is listed for a person. */
async function rollBack(run: RunRef, reason: string): Promise<FinalPhase> {
  await show(run, { kind: 'rolling-back', reason });
  const remains: string[] = [];
  for (const wave of [...run.plan.waves].reverse()) {
    const hosts = run.plan.hosts.filter((host) => host.waves.includes(wave));
    remains.push(...(await Promise.all(hosts.map((host) => undoOne(run, host.name, wave)))).flat());
  }
  return remains.length === 0 ? { kind: 'rolled-back', reason } : { kind: 'held', reason, remains };
}

async function undoOne(run: RunRef, host: string, wave: number): Promise<readonly string[]> {
  try {
    const outcome = await undoOnHost.undoHost(run, host, [wave], false);
    return outcome.kind === 'rolled-back' ? [] : [outcome.reason];
  } catch (error) {
    return [`${host}: could not be rolled back: ${causeOf(error)}`];
  }
}

export function causeOf(error: unknown): string {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause.message : String(cause);
}

/** The pull request's workflow may be gone; the run does not depend on it. */
async function report(parent: string, run: RunRef, end: FinalPhase): Promise<void> {
  const reason = 'reason' in end ? end.reason : '';
  await getExternalWorkflowHandle(parent)
    .signal(deploymentEnded, { run: run.run, end: endOf(end), reason })
    .catch(() => undefined);
}
