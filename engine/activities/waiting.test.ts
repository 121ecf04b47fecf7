import { expect, test } from 'vitest';
import { recent } from './recent.ts';
import { isSaid, PLACES_TOLD, saidOf } from './waiting.ts';

const waiting = (position: number, behind: string) => ({ kind: 'waiting', position, behind }) as const;

test('a place is said once, and again after anybody has said another one', () => {
  const first = waiting(2, 'acme/infra#1');
  expect(isSaid({}, first)).toBe(false);
  expect(isSaid({ said: saidOf(first) }, first)).toBe(true);
  // another process has told of the next place since
  expect(isSaid({ said: saidOf(waiting(1, 'acme/infra#1')) }, first)).toBe(false);
  expect(isSaid({ said: saidOf(first) }, { kind: 'comparing' })).toBe(false);
});

test('places that are not told are all the same', () => {
  const said = saidOf(waiting(PLACES_TOLD + 1, ''));
  expect(isSaid({ said }, waiting(PLACES_TOLD + 200, ''))).toBe(true);
});

test('what is noted of runs is bound, the newest stay', () => {
  const notes = recent<number>(2);
  for (const [i, run] of ['a', 'b', 'a', 'c'].entries()) notes.set(run, i);
  expect(['a', 'b', 'c'].map((run) => notes.get(run))).toEqual([2, undefined, 3]);
});
