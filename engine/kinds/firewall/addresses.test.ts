import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressesOf, blocksOf, contains, overlap, readCidr, union, without } from './addresses.ts';

describe('a block', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::/32', '2001:db8::/32'],
    ['::1', '::1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['::/0', '::/0'],
  ])('%s is %s', (source, text) => {
    expect(readCidr(source)).toMatchObject({ kind: 'cidr', text });
  });

  test.each([
    ['10.0.0.1/8', '10.0.0.0/8'],
    ['192.168.1.77/26', '192.168.1.64/26'],
    ['2001:db8::1/32', '2001:db8::/32'],
  ])('%s has host bits: %s is meant', (source, text) => {
    expect(readCidr(source)).toEqual({ kind: 'host-bits', text });
  });

  test.each([
    '10.0.0/8',
    '10.0.0.0/33',
    '::/129',
    'web-1',
    '',
    '10.0.0.0/',
    'fe80::1%eth0',
    '10.0.0.256',
    '1/2/3',
  ])('%s is none', (source) => {
    expect(readCidr(source)).toEqual({ kind: 'no-cidr' });
  });
});

/** Blocks of few bits, so that single addresses can be looked at. */
const block = fc
  .tuple(fc.nat({ max: 255 }), fc.integer({ min: 24, max: 32 }), fc.boolean())
  .map(([last, length, six]) => {
    const value = last - (last % 2 ** (32 - length));
    return six ? `2001:db8::${value.toString(16)}/${length + 96}` : `10.0.0.${value}/${length}`;
  });
const blocks = fc.array(block, { maxLength: 6 });
const all = [...Array(256).keys()].flatMap((n) => [`10.0.0.${n}`, `2001:db8::${n.toString(16)}`]);
const members = (set: ReturnType<typeof addressesOf>) =>
  all.filter((one) => overlap(set, addressesOf([one])));

describe('sets of addresses', () => {
  test('are what their blocks say, in the fewest blocks', () => {
    fc.assert(
      fc.property(blocks, (list) => {
        const set = addressesOf(list);
        expect(addressesOf(blocksOf(set))).toEqual(set);
        expect(members(set)).toEqual(
          all.filter((one) => list.some((each) => contains(addressesOf([each]), addressesOf([one])))),
        );
      }),
      { numRuns: 30 },
    );
  });

  test('are joined and taken from each other address by address', () => {
    fc.assert(
      fc.property(blocks, blocks, (a, b) => {
        const [first, second] = [addressesOf(a), addressesOf(b)];
        const [ofFirst, ofSecond] = [members(first), members(second)];
        expect(members(union(first, second))).toEqual(
          all.filter((one) => ofFirst.includes(one) || ofSecond.includes(one)),
        );
        expect(members(without(first, second))).toEqual(ofFirst.filter((one) => !ofSecond.includes(one)));
      }),
      { numRuns: 30 },
    );
  });

  test('blocks that touch become one', () => {
    expect(blocksOf(addressesOf(['10.0.0.0/25', '10.0.0.128/25', '10.0.1.0/24', '10.0.1.7']))).toEqual([
      '10.0.0.0/23',
    ]);
  });
});
