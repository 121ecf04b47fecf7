import { expect, test } from 'vitest';
import { neverBegun, newFleet, touch } from './fleet.ts';

test('only who was never begun may be skipped', () => {
  const fleet = newFleet();
  touch(fleet, 'web-1', 0);
  expect(neverBegun(fleet, ['web-1', 'web-2'])).toEqual(['web-2']);
  expect(neverBegun(fleet, ['web-1'])).toEqual([]);
  expect(neverBegun(fleet, [])).toEqual([]);
});
