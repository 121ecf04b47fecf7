import type { PlanRef } from './types.ts';

const SECOND_MS = 1000;

/** Another plan of that head was shown before this one. */
export function replaces(
  plan: Pick<PlanRef, 'digest' | 'headSha'>,
  previous: Pick<PlanRef, 'digest' | 'headSha' | 'replaces'> | undefined,
): boolean {
  if (previous?.headSha !== plan.headSha) return false;
  return previous.digest !== plan.digest || previous.replaces === true;
}

/**
 * The time from which approvals of a plan count, ISO. The same plan of the same head keeps its time. GitHub's times have
 * whole seconds: an approval in the second in which a head's first plan was shown counts, but where the plan took the place
 * of another one of that head it may have been for the other, so it has to come in a later second.
 */
export function shownAt(
  plan: Pick<PlanRef, 'digest' | 'headSha'>,
  previous: Pick<PlanRef, 'digest' | 'headSha' | 'shownAt'> | undefined,
  now: Date,
): string {
  if (previous?.headSha !== plan.headSha) return now.toISOString();
  if (previous.digest === plan.digest) return previous.shownAt;
  return new Date((Math.floor(now.getTime() / SECOND_MS) + 1) * SECOND_MS).toISOString();
}
