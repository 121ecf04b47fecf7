import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isExceeded, roomBeside } from './budget.ts';

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

test.each([
  ['all of it', 2, [], [], { kind: 'some', hosts: 2 }],
  ['less those that failed, were skipped or are down', 4, ['a'], ['b', 'c'], { kind: 'some', hosts: 1 }],
  ['a host counts once', 2, ['a'], ['a'], { kind: 'some', hosts: 1 }],
  ['none, until one answers', 2, ['a'], ['b'], { kind: 'none', down: ['a', 'b'], passes: true }],
  ['none for good', 1, ['a'], ['b'], { kind: 'none', down: ['a', 'b'], passes: false }],
] as const)('room beside those that are down: %s', (_, maxUnavailable, failed, silent, room) => {
  expect(roomBeside({ maxUnavailable, failed, silent })).toEqual(room);
});

test('never more are unavailable than may be', () => {
  const hosts = fc.uniqueArray(fc.stringMatching(/^[a-e]$/));
  fc.assert(
    fc.property(hosts, hosts, fc.integer({ min: 1, max: 6 }), (failed, silent, maxUnavailable) => {
      const room = roomBeside({ maxUnavailable, failed, silent });
      const down = new Set([...failed, ...silent]).size;
      if (room.kind === 'some') expect(down + room.hosts).toBe(maxUnavailable);
      else expect(down).toBeGreaterThanOrEqual(maxUnavailable);
    }),
  );
});
