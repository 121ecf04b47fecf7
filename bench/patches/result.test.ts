import { expect, test } from 'vitest';
import { type Figures, resultOf } from './result.ts';

const GOOD: Figures = {
  hosts: 10,
  upgraded: 10,
  restarted: 10,
  stoppedAt: ['web-1'],
  untouched: 9,
  rolledBack: 1,
  seconds: 61.234,
  secondsStopped: 20.5,
};

test('a fix on all hosts, and a broken one on the canary alone, hold the bars', () => {
  const { json, barsMissed } = resultOf(GOOD);
  expect(barsMissed).toEqual([]);
  expect(json).toMatchObject({
    hosts: 10,
    upgraded: 10,
    stopped_at: 'web-1',
    untouched: 9,
    rolled_back: 1,
    seconds: 61.2,
  });
});

test.each<[string, Partial<Figures>, RegExp]>([
  ['a host without the fix', { upgraded: 9 }, /9 of 10 hosts have the fix/],
  ['a service that runs the old program', { restarted: 9 }, /9 of 10 hosts was restarted/],
  ['a second host begun', { stoppedAt: ['web-1', 'web-2'] }, /begun on web-1, web-2/],
  ['another canary', { stoppedAt: ['web-2'] }, /begun on web-2/],
  ['a host that is not as before', { rolledBack: 0 }, /0 hosts were rolled back/],
  ['none untouched', { untouched: 0 }, /0 hosts are untouched/],
])('%s misses one', (_, given, words) => {
  expect(resultOf({ ...GOOD, ...given }).barsMissed).toEqual([expect.stringMatching(words)]);
});
