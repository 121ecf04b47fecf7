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

test.each([
  ['all of it, where all answer', 3, ['x'], ['a', 'b', 'c'], 2],
  ['none, where one that comes after is down as well', 2, ['b', 'x'], ['a', 'b'], 0],
  ['one less for each that is down and comes after', 3, ['c', 'x'], ['a', 'b', 'c'], 1],
  ['those that are down by themselves, for it is their turn', 2, ['a', 'x'], ['a', 'b'], 1],
  ['as many, where the one that is down is among them', 2, ['b'], ['a', 'b'], 2],
  ['the only one, though it is down', 1, ['a'], ['a'], 1],
  ['more than the group has', 4, ['x'], ['a'], 3],
] as const)('room for the first of a group: %s', (_, maxUnavailable, silent, group, hosts) => {
  const room = roomBeside({ maxUnavailable, failed: [], silent, group });
  expect(room.kind === 'some' ? room.hosts : 0).toBe(hosts);
});

test('never more are unavailable than may be, whoever of a group is down', () => {
  const hosts = fc.uniqueArray(fc.stringMatching(/^[a-f]$/));
  fc.assert(
    fc.property(
      hosts,
      hosts,
      hosts,
      fc.integer({ min: 1, max: 6 }),
      (failed, silent, all, maxUnavailable) => {
        const group = all.filter((host) => !failed.includes(host));
        const room = roomBeside({ maxUnavailable, failed, silent, group });
        const down = (first: number) => new Set([...failed, ...silent, ...group.slice(0, first)]).size;
        const most = room.kind === 'some' ? Math.min(room.hosts, group.length) : 0;
        if (most > 0) expect(down(most)).toBeLessThanOrEqual(maxUnavailable);
        if (most < group.length) expect(down(most + 1)).toBeGreaterThan(maxUnavailable);
      },
    ),
  );
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
