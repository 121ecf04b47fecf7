import type { Step } from './step.ts';

/**
 * Order of execution: by wave, then so that a step comes after all that it depends on, else as given. Throws on a
 * cycle or an unknown id, which is a defect of a kind, never of the user's YAML.
 */
export function orderSteps(steps: readonly Step[]): readonly Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  if (byId.size !== steps.length) throw new Error(`two steps have the same id: ${repeated(steps)}`);
  const done = new Set<string>();
  const ordered: Step[] = [];
  const visit = (step: Step, path: readonly string[]): void => {
    if (done.has(step.id)) return;
    if (path.includes(step.id))
      throw new Error(`steps depend on each other: ${[...path, step.id].join(' -> ')}`);
    for (const id of step.dependsOn) {
      const needed = byId.get(id);
      if (needed === undefined) throw new Error(`${step.id} depends on ${id}, which is not in the plan`);
      visit(needed, [...path, step.id]);
    }
    done.add(step.id);
    ordered.push(step);
  };
  for (const step of [...steps].sort((a, b) => a.wave - b.wave)) visit(step, []);
  return Object.freeze(ordered);
}

function repeated(steps: readonly Step[]): string {
  const ids = steps.map((step) => step.id);
  return ids.find((id, i) => ids.indexOf(id) !== i) ?? '';
}
