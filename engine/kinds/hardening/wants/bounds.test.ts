import { expect, it } from 'vitest';
import { isWithin } from './bounds.ts';

it.each([
  ['at-most', '2', '4', true],
  ['at-most', '4', '4', true],
  ['at-most', '6', '4', false],
  ['at-most', '0', '60', false],
  ['at-most', '30s', '60', true],
  ['at-most', '1m', '60', true],
  ['at-most', '2M', '60', false],
  ['at-most', '1m30s', '120', false],
  ['at-most', '', '60', false],
  ['at-least', '3072', '2048', true],
  ['at-least', '1024', '2048', false],
  ['at-least', 'many', '2048', false],
  ['connections', '10:30:60', '10:30:60', true],
  ['connections', '5:50:20', '10:30:60', true],
  ['connections', '10:30:100', '10:30:60', false],
  ['connections', '10:10:60', '10:30:60', false],
  ['connections', '0:30:60', '10:30:60', false],
  ['connections', '8', '10:30:60', true],
  ['connections', '', '10:30:60', false],
] as const)('%s: %s for %s is within: %s', (judge, value, bound, within) => {
  expect(isWithin(judge, value, bound)).toBe(within);
});
