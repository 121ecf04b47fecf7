import { condition, log } from '@temporalio/workflow';
import type { RunPhase, RunRef } from '../engine/activities/types.ts';
import { passing, short } from './activities.ts';
import { causeOf } from './cause.ts';

/** What signals have said to a run. Each is kept once it is said. */
export interface Control {
  /** Stop and roll back; the sentence says why. */
  cancelled: string | undefined;
  /** Stop and ask; the sentence says who wants it. */
  stopped: string | undefined;
  /** Who wants what is done to stay. */
  kept: string | undefined;
  /** Locks were released since it was looked at last. */
  released: boolean;
}

export function isUnwanted({ cancelled, stopped }: Control): boolean {
  return cancelled !== undefined || stopped !== undefined;
}

/** While servers are being changed nothing waits for GitHub. Before, the run needs it anyway; after, a person has to be able to read. */
const PASSING: ReadonlySet<RunPhase['kind']> = new Set(['applying', 'verifying', 'merging', 'rolling-back']);

/** A check that cannot be shown (the repository is gone, GitHub is away) must neither end a run nor keep its hosts. */
export async function show(run: RunRef, phase: RunPhase): Promise<void> {
  await (PASSING.has(phase.kind) ? passing : short)
    .showRun(run, phase)
    .catch((error: unknown) =>
      log.warn('where the run is could not be shown', { phase: phase.kind, reason: causeOf(error) }),
    );
}

/** What becomes of a run that stopped in the middle. `limited`: without an answer in time it is rolled back. */
export async function decide(
  run: RunRef,
  control: Control,
  reason: string,
  limited: boolean,
): Promise<'keep' | 'rollback'> {
  const answered = (): boolean => control.cancelled !== undefined || control.kept !== undefined;
  if (!answered()) {
    const until = limited ? await short.decisionDeadline(run) : undefined;
    await show(run, { kind: 'asking', reason, until });
    if (until === undefined) await condition(answered);
    else await condition(answered, Math.max(1, Date.parse(until) - Date.now()));
  }
  return control.kept !== undefined && control.cancelled === undefined ? 'keep' : 'rollback';
}
