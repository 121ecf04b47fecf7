import fc from 'fast-check';
import { expect, test } from 'vitest';
import { undoGroups } from './undoOrder.ts';

const hosts = ['web-1', 'web-2', 'web-3', 'web-4', 'web-5'];

test.each([
  ['what was changed last is put back first', {}, 2, [['web-5', 'web-4'], ['web-3', 'web-2'], ['web-1']]],
  [
    'the failed before all others',
    { failed: ['web-1'] },
    2,
    [['web-1', 'web-5'], ['web-4', 'web-3'], ['web-2']],
  ],
  [
    'the silent after all others, together',
    { silent: ['web-4', 'web-5'] },
    1,
    [['web-3'], ['web-2'], ['web-1'], ['web-5', 'web-4']],
  ],
  [
    'a silent one that failed does not hold up the others',
    { failed: ['web-2'], silent: ['web-2'] },
    4,
    [['web-5', 'web-4', 'web-3', 'web-1'], ['web-2']],
  ],
] as const)(
  '%s',
  (_, {
    failed = [],
    silent = [],
  }: Partial<Record<'failed' | 'silent', readonly string[]>>, atOnce, groups) => {
    expect(undoGroups(hosts, { failed, silent, atOnce })).toEqual(groups);
  },
);

test('no two members of a unit together: one of them is to serve', () => {
  const apart = [
    ['web-1', 'web-2'],
    ['web-4', 'web-5'],
  ];
  expect(undoGroups(hosts, { failed: ['web-2'], silent: [], atOnce: 3, apart })).toEqual([
    ['web-2', 'web-5', 'web-3'],
    ['web-4', 'web-1'],
  ]);
});

test('every host once, and of those that answer never more than may be changed together', () => {
  const some = fc.subarray(hosts);
  fc.assert(
    fc.property(some, some, some, fc.integer({ min: 1, max: 6 }), (touched, failed, silent, atOnce) => {
      const groups = undoGroups(touched, { failed, silent, atOnce });
      expect(groups.flat().sort()).toEqual(touched);
      for (const group of groups)
        expect(group.filter((host) => !silent.includes(host)).length).toBeLessThanOrEqual(atOnce);
    }),
  );
});
