import { CancellationScope, uuid4 } from '@temporalio/workflow';
import type { PlannedCorrection, RunEnd, RunRef } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { applyAndVerify, type Stop } from './applying.ts';
import { causeOf } from './cause.ts';
import { type Control, keptAs, listen, show, whyUnwanted } from './control.ts';
import { takeLocks } from './deployment.ts';
import { type Fleet, leftOutOf, newFleet } from './fleet.ts';
import type { FinalPhase } from './phases.ts';
import { rollBack } from './rollingBack.ts';
import { confirmCorrection } from './sites.ts';

/**
 * Puts back what was changed by hand on the servers of one document: through the same queue, locks, comparison, apply and
 * verify as a pull request's run, and the same rollback. Nobody is asked on the way: what fails or is stopped is rolled back.
 */
export async function correction(planned: PlannedCorrection): Promise<RunEnd> {
  const run: RunRef = { ...planned, run: `dc${planned.pull.number}-${uuid4().slice(0, 8)}` };
  const control = listen();
  return CancellationScope.nonCancellable(async () => {
    const phase: FinalPhase =
      (await takeLocks(run, control, async () => NEEDS_RECOVERY)) ?? (await correct(run, control));
    await show(run, phase);
    if (phase.kind !== 'stale') await short.endRun(run, phase.kind, undefined);
    if (phase.kind !== 'held') await short.releaseLocks(run.run);
    return phase.kind;
  });
}

/** What a dead run left is for the next pull request or a person to look at, not for a correction. */
const NEEDS_RECOVERY = 'one of the servers needs recovery: an earlier run did not end in order there';

/** The run is in the store only once it begins to change servers: while it waits they are judged as ever. */
async function correct(run: RunRef, control: Control): Promise<FinalPhase> {
  const before = whyUnwanted(control);
  if (before !== undefined) return { kind: 'stale', reason: before };
  const confirmed = await confirmCorrection(run).catch((error: unknown) => {
    return { kind: 'changed' as const, reason: causeOf(error) };
  });
  if (confirmed.kind === 'changed') return { kind: 'stale', reason: confirmed.reason };
  const meanwhile = whyUnwanted(control);
  if (meanwhile !== undefined) return { kind: 'stale', reason: meanwhile };
  await short.startRun(run, 'correction');
  const fleet = newFleet(confirmed.windows);
  const stop = await applyAndVerify(run, fleet, control);
  if (stop !== undefined) return endStopped(run, fleet, control, stop);
  const leftOut = leftOutOf(fleet, run);
  const as = { kind: 'applied' as const, mergeSha: run.plan.headSha, differs: false };
  return leftOut.length === 0 ? as : { ...as, leftOut };
}

/** Servers that are put back in part do not wait for an answer: who wants that kept says so at once. */
async function endStopped(run: RunRef, fleet: Fleet, control: Control, stop: Stop): Promise<FinalPhase> {
  const keeps = stop.kind === 'asked' && control.kept !== undefined;
  return keeps ? keptAs(control, stop.reason) : rollBack(run, fleet, stop.reason);
}
