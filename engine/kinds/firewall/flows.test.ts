import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressesOf, overlap as sharing } from './addresses.ts';
import { contains, type Flows, flowsOf, overlap, union, without } from './flows.ts';

/** Few addresses, so that flows meet. */
const POOL = ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::0', 'fd00::1'];
const side = fc.option(fc.subarray(POOL, { minLength: 1 }), { freq: 4 });
const flows: fc.Arbitrary<Flows> = fc
  .array(fc.record({ from: side, to: side }).map(flowsOf), { maxLength: 4 })
  .map((list) => list.flat());

const FAR = [...POOL, '192.0.2.1', '2001:db8::1'];
const PAIRS = FAR.flatMap((from) => FAR.map((to) => [from, to] as const)).filter(
  ([from, to]) => from.includes(':') === to.includes(':'),
);
/** Pairs that are in flows, one by one. */
function pairsOf(some: Flows): readonly string[] {
  const has = (set: Flows[number]['from'], address: string) => sharing(set, addressesOf([address]));
  return PAIRS.filter(([a, b]) => some.some(({ from, to }) => has(from, a) && has(to, b))).map(String);
}

test('flows are what their pairs are', () => {
  fc.assert(
    fc.property(flows, flows, (a, b) => {
      const [ours, theirs] = [pairsOf(a), pairsOf(b)];
      const only = ours.filter((pair) => !theirs.includes(pair));
      expect(pairsOf(union(a))).toEqual(ours);
      expect(pairsOf(without(a, b))).toEqual(only);
      expect(without(a, b).length > 0).toBe(only.length > 0);
      expect(contains(b, a)).toBe(only.length === 0);
      expect(overlap(a, b)).toBe(only.length < ours.length);
    }),
  );
});

test('what two flows have alike makes one of them', () => {
  const some = [
    { from: ['10.0.0.0/25'], to: ['10.1.0.0/25'] },
    { from: ['10.0.0.128/25'], to: ['10.1.0.0/25'] },
    { from: ['10.0.0.0/24'], to: ['10.1.0.128/25'] },
  ];
  const whole = flowsOf({ from: ['10.0.0.0/24'], to: ['10.1.0.0/24'] });
  expect(union(some.flatMap(flowsOf))).toEqual(whole);
  expect(flowsOf({ from: ['10.0.0.1'], to: ['fd00::1'] })).toEqual([]);
});
