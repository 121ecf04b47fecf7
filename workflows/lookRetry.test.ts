import { expect, test } from 'vitest';
import { lookAgainAfter, WAIT_MAX_MS } from './lookRetry.ts';

/** Of one look: an activity that looks, one that shows for whom it waits, a timer, and their workflow tasks. */
const EVENTS_A_LOOK = 20;
/** Where Temporal ends a workflow. */
const HISTORY_EVENTS_MAX = 51_200;

test('a host that comes back is noticed soon, and one that stays away for a day fills no history', () => {
  let looks = 0;
  for (let ms = 0; ms <= WAIT_MAX_MS; ms += lookAgainAfter(looks)) looks += 1;
  expect(looks * EVENTS_A_LOOK).toBeLessThan(HISTORY_EVENTS_MAX / 6);
  const pauses = Array.from({ length: looks }, (_, i) => lookAgainAfter(i + 1));
  expect(pauses.slice(0, 4)).toEqual([5_000, 10_000, 15_000, 15_000]);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
});
