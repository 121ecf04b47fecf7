import { CancellationScope, condition, log, patched, setHandler } from '@temporalio/workflow';
import type { RunPhase, RunRef, StopHeard } from '../engine/activities/types.ts';
import { passing, short } from './activities.ts';
import { askOnAfter } from './askOn.ts';
import { causeOf } from './cause.ts';
import { cancelRun, locksReleased, stopHeard, stopRun } from './messages.ts';
import type { FinalPhase } from './phases.ts';

/** What signals have said to a run. Each is kept once it is said. */
export interface Control {
  /** Stop and roll back; the sentence says why. */
  cancelled: string | undefined;
  /** Stop and ask; the sentence says who wants it. */
  stopped: string | undefined;
  /** Who wants what is done to stay. */
  kept: string | undefined;
  /** Where it is when it can be stopped no more; until then `in-time`. */
  at: StopHeard;
  /** Locks were released since it was looked at last. */
  released: boolean;
}

/** Hears, from now on, what is said to this run. */
export function listen(): Control {
  const control: Control = {
    cancelled: undefined,
    stopped: undefined,
    kept: undefined,
    at: 'in-time',
    released: false,
  };
  let heard: StopHeard = 'in-time';
  setHandler(cancelRun, (reason) => {
    control.cancelled = reason;
  });
  setHandler(stopRun, ({ actor, keep }) => {
    // whoever wants it rolled back was here before
    heard = control.at === 'in-time' && control.cancelled !== undefined ? 'rolling-back' : control.at;
    control.stopped ??= `${actor} cancelled the run`;
    if (keep) control.kept ??= actor;
  });
  setHandler(stopHeard, () => heard);
  setHandler(locksReleased, () => {
    control.released = true;
  });
  return control;
}

export function isUnwanted(control: Control): boolean {
  return whyUnwanted(control) !== undefined;
}

export function whyUnwanted({ cancelled, stopped }: Control): string | undefined {
  return cancelled ?? stopped;
}

/** Gives up what waits, such as for a server that does not answer, once the run is not wanted any more; then it throws. */
export async function whileWanted<T>(control: Control, work: () => Promise<T>): Promise<T> {
  if (!patched('confirm-gives-up')) return work();
  const scope = new CancellationScope();
  let over = false;
  const watched = condition(() => over || isUnwanted(control)).then(() => over || scope.cancel());
  try {
    return await scope.run(work);
  } finally {
    over = true;
    await watched;
  }
}

/** As a person wants it. */
export function keptAs(control: Control, reason: string): FinalPhase {
  const why = `${reason}; ${control.kept ?? ''} decided to keep what is done`;
  return { kind: 'held', reason: why, remains: [], kept: true };
}

/** While servers are being changed nothing waits for GitHub. Before, the run needs it anyway; after, a person has to be able to read. */
const PASSING: ReadonlySet<RunPhase['kind']> = new Set(['applying', 'verifying', 'merging', 'rolling-back']);

/** A check that cannot be shown (the repository is gone, GitHub is away) must neither end a run nor keep its hosts. */
export async function show(run: RunRef, phase: RunPhase): Promise<void> {
  await tryToShow(run, phase);
}

/** Gives why it could not be shown. */
async function tryToShow(run: RunRef, phase: RunPhase): Promise<string | undefined> {
  try {
    await (PASSING.has(phase.kind) ? passing : short).showRun(run, phase);
    return undefined;
  } catch (error) {
    const reason = causeOf(error);
    log.warn('where the run is could not be shown', { phase: phase.kind, reason });
    return reason;
  }
}

/**
 * What becomes of a run that stopped in the middle. `limited`: without an answer in time it is rolled back, else where GitHub will not
 * have the question, now or later, so that nobody can answer.
 */
export async function decide(
  run: RunRef,
  control: Control,
  reason: string,
  limited: boolean,
): Promise<'keep' | 'rollback'> {
  if (!isAnswered(control)) {
    const until = limited ? await short.decisionDeadline(run) : undefined;
    const unasked = await tryToShow(run, { kind: 'asking', reason, until });
    if (until !== undefined)
      await condition(() => isAnswered(control), Math.max(1, Date.parse(until) - Date.now()));
    else if (patched('ask-again')) await untilAnswered(run, control, reason, unasked);
    else await condition(() => isAnswered(control));
  }
  return control.kept !== undefined && control.cancelled === undefined ? 'keep' : 'rollback';
}

function isAnswered({ cancelled, kept }: Control): boolean {
  return cancelled !== undefined || kept !== undefined;
}

async function untilAnswered(
  run: RunRef,
  control: Control,
  reason: string,
  unasked: string | undefined,
): Promise<void> {
  let why = unasked;
  for (let asked = 1; why === undefined; asked += 1) {
    if (await condition(() => isAnswered(control), askOnAfter(asked))) return;
    why = await tryToShow(run, { kind: 'asking', reason, until: undefined });
  }
  if (!isAnswered(control)) control.cancelled = `${reason}; nobody can be asked: ${why}`;
}
