import { expect, test } from 'vitest';
import { besideDown } from './besideDown.ts';

const UNITS = [
  ['db-1', 'db-2', 'db-3'],
  ['web-1', 'db-1'],
];

test.each([
  ['nobody is left out while all others serve', ['db-1', 'web-2'], [], []],
  ['whoever stands in for one that is down is', ['db-1', 'web-2'], ['db-3'], ['db-1']],
  ['in any of its units', ['db-1', 'db-2'], ['web-1'], ['db-1']],
  ['not for being down itself', ['db-1'], ['db-1'], []],
  ['nor for one of another unit', ['db-2'], ['web-1'], []],
] as const)('%s', (_, hosts, down, left) => {
  expect(besideDown(hosts, UNITS, down).map(({ host }) => host)).toEqual(left);
});

test('the reason names who is down', () => {
  expect(besideDown(['db-2'], UNITS, ['db-3'])).toEqual([
    { host: 'db-2', reason: 'db-3, which it stands in for, failed, cannot be reached or needs recovery' },
  ]);
});
