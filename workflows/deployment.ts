import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunEnd, RunPhase, RunRef } from '../engine/activities/types.ts';
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
    await takeLocks(run, progress);
    const result = await changeHosts(run, progress);
    await short.showRun(run, result);
    await short.endRun(run, endOf(result), result.kind === 'applied' ? result.mergeSha : undefined);
    if (result.kind !== 'held') await short.releaseLocks(run.run);
    return result;
  });
  await report(parent, run, end);
  return endOf(end);
}

type FinalPhase = Extract<RunPhase, { kind: 'applied' | 'rolled-back' | 'held' | 'stale' }>;

function endOf(phase: FinalPhase): RunEnd {
  return phase.kind;
}

async function takeLocks(run: RunRef, progress: Progress): Promise<void> {
  for (;;) {
    const answer = await short.acquireLocks(run, workflowInfo().workflowId);
    if (answer.kind === 'granted' || progress.cancelled !== undefined) return;
    if (answer.kind === 'needs-recovery') {
      await short.showRun(run, { kind: 'recovering' });
      for (const dead of answer.runs) await undoOnHost.recoverRun(run, dead);
      continue;
    }
    await short.showRun(run, { kind: 'waiting', position: answer.position, behind: answer.behind });
    await condition(() => progress.released || progress.cancelled !== undefined, LOCK_RETRY);
    progress.released = false;
  }
}

async function changeHosts(run: RunRef, progress: Progress): Promise<FinalPhase> {
  if (progress.cancelled !== undefined) return { kind: 'stale', reason: progress.cancelled };
  await short.showRun(run, { kind: 'comparing' });
  const confirmed = await reading.confirmPlan(run);
  if (confirmed.kind === 'changed') return { kind: 'stale', reason: confirmed.reason };
  const failure = await applyAndVerify(run, progress);
  if (failure !== undefined) return rollBack(run, failure);
  await short.showRun(run, { kind: 'merging' });
  const merged = await short.mergePull(run);
  if (merged.kind === 'refused') return rollBack(run, merged.reason);
  return { kind: 'applied', mergeSha: merged.mergeSha, differs: merged.differs };
}

/** Undefined when every host is as wanted; else the sentence that says what failed. */
async function applyAndVerify(run: RunRef, progress: Progress): Promise<string | undefined> {
  await short.showRun(run, { kind: 'applying' });
  for (const wave of run.plan.waves) {
    const failure = await applyWave(run, wave, progress);
    if (failure !== undefined) return failure;
    if (progress.cancelled !== undefined) return progress.cancelled;
  }
  await short.showRun(run, { kind: 'verifying' });
  const verified = await reading.verifyHosts(run);
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
  await short.showRun(run, { kind: 'rolling-back', reason });
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
