import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDebianVersions } from './debianVersion.ts';

/** Each older than the next. The first two are the examples of the Debian policy manual, 5.6.12; the others are as dpkg says. */
const ORDERS: readonly (readonly string[])[] = [
  ['1.0~~', '1.0~~a', '1.0~', '1.0', '1.0a'],
  ['1.0~beta1~svn1245', '1.0~beta1', '1.0'],
  ['9', '10', '1:1', '1:2', '2:0'],
  ['1.2.3', '1.2.3-1', '1.2.3-1.1', '1.2.3-2', '1.2.3-10'],
  ['7.88.1-10+deb12u4', '7.88.1-10+deb12u5', '7.88.1-10+deb12u12', '7.88.1-11'],
  ['1.0-1', '1.0-1+b1', '1.0-1+deb12u1'],
  ['2.36-9+deb12u9', '2.36-9+deb12u10', '2.37'],
  ['1.0-rc1', '1.0+git1-1', '1.0.1-1'],
  ['5.4.1-0.2', '5.4.1-1', '5.4.1a-0.1'],
  ['3.0.15-1~deb12u1', '3.0.15-1'],
  ['20240101', '20240102', '99999999999999999999998', '99999999999999999999999'],
];

const SAME: readonly (readonly [string, string])[] = [
  ['1.0', '1.0-0'],
  ['0:1.0', '1.0'],
  ['1.00', '1.0'],
  ['1.0-01', '1.0-1'],
];

describe('versions of Debian packages', () => {
  it.each(ORDERS)('%s ...', (...order) => {
    for (const [i, a] of order.entries())
      for (const [j, b] of order.entries())
        expect(`${a} ${Math.sign(compareDebianVersions(a, b))} ${b}`).toBe(`${a} ${Math.sign(i - j)} ${b}`);
  });

  it.each(SAME)('%s is %s', (a, b) => {
    expect(compareDebianVersions(a, b)).toBe(0);
  });

  it('have one order, whatever they are', () => {
    const version = fc.stringMatching(/^([0-9]:)?[0-9][0-9a-zA.+~-]{0,6}$/);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareDebianVersions(a, b))).toBe(-Math.sign(compareDebianVersions(b, a)) + 0);
        if (compareDebianVersions(a, b) <= 0 && compareDebianVersions(b, c) <= 0)
          expect(compareDebianVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
