import { expect, it } from 'vitest';
import { resultOf } from './result.ts';

const GOOD = {
  findings: ['strict: 163 of 163 controls hold now (critical 15/15); 54 not applicable here, 1 waived'],
  lynisBefore: 59,
  lynisAfter: 79,
  secondRunChanges: 0,
  undoDifferences: 0,
  firstSeconds: 30,
  checkSeconds: 1.2,
};

it('says what was measured, and that every bar was held', () => {
  const { json, barsMissed } = resultOf(GOOD);
  expect(json).toMatchObject({
    controls: 217,
    applicable: 163,
    passed: 163,
    lynis_before: 59,
    lynis_after: 79,
  });
  expect(barsMissed).toEqual([]);
});

it.each([
  [
    { findings: ['strict: 162 of 163 controls hold now (); 54 not applicable here'] },
    '1 controls that apply do not hold',
  ],
  [{ lynisAfter: 78 }, 'Lynis says 78'],
  [{ secondRunChanges: 2 }, 'a second run has 2 steps'],
  [{ undoDifferences: 1 }, 'the undo left 1 differences'],
  [{ checkSeconds: 3.8 }, 'a check took 3.8 s'],
])('a bar that was missed: %j', (change, words) => {
  expect(resultOf({ ...GOOD, ...change }).barsMissed).toEqual([words]);
});

it('a plan without a score is no result', () => {
  expect(() => resultOf({ ...GOOD, findings: ['no profile'] })).toThrow('said no score');
});
