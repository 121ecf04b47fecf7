import { expect, test } from 'vitest';
import { fail, neverBegun, newFleet, notLeftOut, touch } from './fleet.ts';

test('only who was never begun may be skipped', () => {
  const fleet = newFleet();
  touch(fleet, 'web-1', 0);
  expect(neverBegun(fleet, ['web-1', 'web-2'])).toEqual(['web-2']);
  expect(neverBegun(fleet, ['web-1'])).toEqual([]);
  expect(neverBegun(fleet, [])).toEqual([]);
});

test('who failed, was skipped or comes later is not changed, also where it was changed before', () => {
  const fleet = newFleet();
  const hosts = ['web-1', 'web-2', 'web-3', 'web-4', 'web-5'];
  expect(notLeftOut(fleet, hosts)).toEqual(hosts);
  touch(fleet, 'web-1', 0);
  touch(fleet, 'web-2', 0);
  fail(fleet, { host: 'web-2', reason: 'bad' });
  fleet.skipped.push('web-3');
  fleet.later.push({ host: 'web-4', reason: 'the window shut' });
  expect(notLeftOut(fleet, hosts)).toEqual(['web-1', 'web-5']);
  expect(notLeftOut(fleet, ['web-2'])).toEqual([]);
});
