import { expect, test } from 'vitest';
import { aheadOf } from './ahead.ts';

const AT = 1_795_000_000_000;

test.each([
  ['two hours ahead', 7_200_000, { aheadMs: 7_200_000 }],
  ['two hours behind', -7_200_000, { aheadMs: -7_200_000 }],
  ['three seconds ahead', 3_000, { aheadMs: 3_000 }],
  ['as far ahead as GitHub rounds', 1_500, {}],
  ['as far behind as an activity may have waited', -20_000, {}],
  ['the same', 0, {}],
] as const)('a clock of Temporal that is %s', (_, off, ahead) => {
  expect(aheadOf(AT + off, AT)).toEqual(ahead);
});
