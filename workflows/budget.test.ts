import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isExceeded } from './budget.ts';

test.each([
  ['none failed', 0, [], [], false],
  ['the first failure without a budget', 0, ['a'], [], true],
  ['as many as it bears', 2, ['a', 'b'], [], false],
  ['one more', 2, ['a', 'b', 'c'], [], true],
  ['a host counts once', 1, ['a', 'a'], [], false],
  ['a canary, whatever the budget', 9, ['a'], ['a'], true],
  ['another one before a canary that is good', 9, ['a'], ['b'], false],
] as const)('%s', (_, failureBudget, failed, canaries, exceeded) => {
  expect(isExceeded({ failureBudget, failed }, canaries)).toBe(exceeded);
});

test('counts over the whole fleet, however the failures fall into batches', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.boolean(), { maxLength: 6 }), { maxLength: 8 }),
      fc.nat({ max: 10 }),
      (batches, failureBudget) => {
        const failed = batches.flatMap((batch, b) => batch.flatMap((bad, h) => (bad ? [`${b}-${h}`] : [])));
        expect(isExceeded({ failureBudget, failed }, [])).toBe(failed.length > failureBudget);
      },
    ),
  );
});
