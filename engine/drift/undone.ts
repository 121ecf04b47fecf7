import type { Plan } from '../plan/step.ts';
import type { DriftedItem } from './resources.ts';

/** Whether an item differs only because a plan is still to be carried out. */
export function undoneOf(plans: readonly Plan[]): (item: Pick<DriftedItem, 'host' | 'stepId'>) => boolean {
  const steps = plans.flatMap(({ hosts }) =>
    hosts.flatMap(({ host, steps }) => steps.map(({ id }) => [host, id])),
  );
  const known = new Set(steps.map((step) => JSON.stringify(step)));
  return ({ host, stepId }) => known.has(JSON.stringify([host, stepId]));
}
