import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderSteps } from './order.ts';
import type { Step } from './step.ts';
import { aStep } from './testing.ts';

/** Random acyclic dependencies: a step depends only on steps with smaller numbers, then all are shuffled. */
const graphs = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat({ max: size - 1 }), fc.nat({ max: size - 1 })), { maxLength: 30 }),
      fc.shuffledSubarray(
        Array.from({ length: size }, (_, i) => i),
        { minLength: size },
      ),
    )
    .map(([edges, order]) =>
      order.map((n): Step => {
        const needs = edges.filter(([from, to]) => Math.max(from, to) === n && from !== to);
        return {
          ...aStep,
          id: `s${n}`,
          dependsOn: [...new Set(needs.map((edge) => `s${Math.min(...edge)}`))],
        };
      }),
    ),
);

describe('orderSteps', () => {
  it('puts every step after all that it depends on, keeps all, and is the same each time', () => {
    fc.assert(
      fc.property(graphs, (steps) => {
        const ordered = orderSteps(steps);
        const at = new Map(ordered.map((step, i) => [step.id, i]));
        expect(ordered).toHaveLength(steps.length);
        for (const step of ordered) {
          for (const need of step.dependsOn) expect(at.get(need)).toBeLessThan(at.get(step.id) ?? -1);
        }
        expect(orderSteps(steps)).toEqual(ordered);
      }),
    );
  });

  it('keeps the given order where nothing depends, and goes by wave first', () => {
    const steps = [
      { ...aStep, id: 'late', wave: 1 },
      { ...aStep, id: 'b' },
      { ...aStep, id: 'a' },
    ];
    expect(orderSteps(steps).map((step) => step.id)).toEqual(['b', 'a', 'late']);
  });

  it('names a cycle, an unknown id and a repeated id', () => {
    const a = { ...aStep, id: 'a', dependsOn: ['b'] };
    const b = { ...aStep, id: 'b', dependsOn: ['a'] };
    expect(() => orderSteps([a, b])).toThrow('steps depend on each other: a -> b -> a');
    expect(() => orderSteps([a])).toThrow('a depends on b, which is not in the plan');
    expect(() => orderSteps([b, b])).toThrow('two steps have the same id: b');
  });
});
