import { reloadUnit, restartUnit } from '../operations/units.ts';
import type { Step } from './step.ts';

/**
 * Documents of one host may notify the same unit: it is reloaded or restarted once, after all of them. A restart makes
 * a reload needless.
 */
export function mergeActions(steps: readonly Step[]): readonly Step[] {
  const actions = steps.filter(isAction);
  const units = [...new Set(actions.map(unitOf))];
  return [
    ...steps.filter((step) => !isAction(step)),
    ...units.map((unit) => merge(actions.filter((step) => unitOf(step) === unit))),
  ];
}

function isAction(step: Step): boolean {
  return step.operation === reloadUnit.operation || step.operation === restartUnit.operation;
}

function unitOf(step: Step): string {
  return String(step.params.unit);
}

function merge(steps: readonly Step[]): Step {
  const [first] = [...steps.filter((step) => step.operation === restartUnit.operation), ...steps];
  if (first === undefined) throw new Error('there is no action to merge');
  if (steps.length === 1) return first;
  return Object.freeze({
    ...first,
    dependsOn: [...new Set(steps.flatMap((step) => step.dependsOn))],
    wave: Math.max(...steps.map((step) => step.wave)),
  });
}
