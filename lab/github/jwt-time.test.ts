import { expect, test } from 'vitest';
import { appJwt } from '../../engine/github/appKey.ts';
import { createAppKey } from './accounts.ts';
import { jwtTimeProblem } from './jwt-time.ts';

const NOW = 1_795_000_000;

test.each([
  ['right', 0, undefined],
  ['half a minute off', -30, undefined],
  ['44 minutes behind', -2664, /must be a numeric value representing the future time/],
  ['two hours ahead', 7200, /'Issued at' claim/],
])('an App whose clock is %s', async (_, off, expected) => {
  const problem = jwtTimeProblem(appJwt(1, await createAppKey(), NOW + off).jwt, NOW);
  if (expected === undefined) expect(problem).toBeUndefined();
  else expect(problem).toMatch(expected);
});
