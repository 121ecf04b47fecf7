import { names } from '../github/render/words.ts';
import { lateUndoEndangersAccess } from '../operations/endangersAccess.ts';
import type { Plan } from '../plan/step.ts';

/**
 * Why a merged change is not taken back on its servers at all. An undo is not confirmed by a fresh login: as a run's own it leads back to
 * what was just proven, but long after the way in may be one that came since. The apply of the revert is confirmed.
 */
export function lateRefusal({ hosts }: Pick<Plan, 'hosts'>): string | undefined {
  const found = hosts.flatMap(({ host, steps }) =>
    steps.filter(lateUndoEndangersAccess).map(({ id }) => `${id} on ${host}`),
  );
  if (found.length === 0) return undefined;
  return `${WHY} It is about ${names(found)}`;
}

/** Before the names, which may be long. */
const WHY = [
  'it changed what people and the engine get in by. To put back what was there then could shut them out now, and no server takes that back by itself.',
  'Apply the pull request that reverts it: that is planned on the servers as they are, and taken back by each server unless a fresh login works.',
  'Old versions of packages do not come back with it: name them in a Configuration, in a pull request.',
].join(' ');
