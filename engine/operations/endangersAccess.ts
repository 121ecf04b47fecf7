import { type ItemKey, splitItemKey } from '../facts/fact.ts';
import type { Step } from '../plan/step.ts';
import { operationNamed } from './registry.ts';
import { runScript } from './userScript.ts';
import { isPackageIn, isPathIn, isSysctlIn, isUnitIn, namesWayIn } from './waysIn.ts';

/**
 * Whether a step can shut people or the engine out. By item, so that whatever kind plans it, it is held. Who is new on the host
 * cannot be shut out of it: a user or group that is not there yet endangers nobody.
 */
export function endangersAccess(step: Step): boolean {
  const { endangersAccess, items } = operationNamed(step.operation);
  if (step.operation === 'item.forget') return false;
  if (endangersAccess === true) return true;
  if (step.operation === runScript.operation) return textsOf(step).some(namesWayIn);
  const { unit, units, removes, along } = step.params;
  if (texts([unit, units].flat()).some(isUnitIn)) return true;
  // what apt takes or brings along is no item of the step, and may not be known yet
  if (along === null || texts([removes, along].flat()).some(isPackageIn)) return true;
  return items(step.params).some((item) => endangers(item, step.absent.includes(item)));
}

/** The same of taking it back long after: as whom was new then, people and the engine may log in by now. */
export function lateUndoEndangersAccess(step: Step): boolean {
  return endangersAccess({ ...step, absent: [] });
}

function textsOf({ params: { check, apply, undo } }: Step): readonly string[] {
  return texts([check, apply, undo]);
}

function texts(all: readonly unknown[]): readonly string[] {
  return all.filter((one) => typeof one === 'string');
}

function endangers(item: ItemKey, isNew: boolean): boolean {
  const { fact, key } = splitItemKey(item);
  switch (fact) {
    case 'path':
    case 'mode':
      return isPathIn(key);
    case 'user':
    case 'group':
    case 'authorized-keys':
      return !isNew;
    case 'sysctl':
      return isSysctlIn(key);
    case 'unit':
      return isUnitIn(key);
    case 'package':
      return isPackageIn(key);
    case 'firewall':
    case 'pam-profile':
    case 'homes':
      return true;
    default:
      return false;
  }
}
