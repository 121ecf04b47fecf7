import { expect, test } from 'vitest';
import { ownedFact, recordLine } from './owned.ts';

const item = {
  item: 'path:/etc/motd',
  origin: 'adopted',
  repository: 'acme/infra',
  document: 'Configuration/web',
  onRemoval: 'restore',
} as const;
const line = (given: Partial<Record<keyof typeof item, string>> = {}, run = 'r1-w0') =>
  `${recordLine({ ...item, ...given } as typeof item)}\t${run}`;
const parse = (...lines: readonly string[]) => ownedFact.parse(lines, { fact: 'owned', key: 'all' });

test('a record says which item, and whose', () => {
  expect(parse(line())).toEqual([{ ...item, run: 'r1-w0' }]);
});

test('a path may be as long as paths are', () => {
  const long = `path:/${'x'.repeat(4_095)}` as typeof item.item;
  expect(parse(line({ item: long }))).toMatchObject([{ item: long }]);
});

test.each([
  ['an item without a fact', line({ item: 'motd' })],
  ['an endless item', line({ item: `path:/${'x'.repeat(10_000)}` })],
  ['an endless document', line({ document: 'x'.repeat(10_000) })],
  ['a document with a NUL, which no store takes', line({ document: 'Configuration/\0' })],
  ['an endless run', line({}, 'x'.repeat(10_000))],
])('%s is not understood', (_, record) => {
  expect(() => parse(record)).toThrow(/^a record below \/var\/lib\/doaas\/items is not understood: /);
});
