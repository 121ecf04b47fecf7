import { CancellationScope, setHandler, uuid4 } from '@temporalio/workflow';
import type { PlannedCorrection, RunEnd, RunRef } from '../engine/activities/types.ts';
import { reading, short } from './activities.ts';
import { applyAndVerify } from './applying.ts';
import { causeOf } from './cause.ts';
import { type Control, isUnwanted, show } from './control.ts';
import { takeLocks } from './deployment.ts';
import { leftOutOf, newFleet } from './fleet.ts';
import { cancelRun, locksReleased } from './messages.ts';
import type { FinalPhase } from './phases.ts';
import { rollBack } from './rollingBack.ts';

/**
 * Puts back what was changed by hand on the servers of one document: through the same queue, locks, comparison, apply and
 * verify as a pull request's run, and the same rollback. Nobody is asked on the way: what fails is rolled back.
 */
export async function correction(planned: PlannedCorrection): Promise<RunEnd> {
  const run: RunRef = { ...planned, run: `dc${planned.pull.number}-${uuid4().slice(0, 8)}` };
  const control: Control = { cancelled: undefined, stopped: undefined, kept: undefined, released: false };
  setHandler(cancelRun, (reason) => {
    control.cancelled = reason;
  });
  setHandler(locksReleased, () => {
    control.released = true;
  });
  return CancellationScope.nonCancellable(async () => {
    const hindrance = await takeLocks(run, control, async () => NEEDS_RECOVERY);
    const phase: FinalPhase =
      hindrance === undefined ? await correct(run, control) : { kind: 'stale', reason: hindrance };
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
  const confirmed = await reading.confirmPlan(run).catch((error: unknown) => {
    return { kind: 'changed' as const, reason: causeOf(error) };
  });
  if (confirmed.kind === 'changed') return { kind: 'stale', reason: confirmed.reason };
  if (isUnwanted(control)) return { kind: 'stale', reason: control.cancelled ?? 'it was cancelled' };
  await short.startRun(run, 'correction');
  const fleet = newFleet(confirmed.windows);
  const stop = await applyAndVerify(run, fleet, control);
  if (stop !== undefined) return rollBack(run, fleet, stop.reason);
  const leftOut = leftOutOf(fleet, run);
  const as = { kind: 'applied' as const, mergeSha: run.plan.headSha, differs: false };
  return leftOut.length === 0 ? as : { ...as, leftOut };
}
