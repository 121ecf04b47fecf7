import { expect, test } from 'vitest';
import { type Delivery, type DeliveryAttempt, isPast, missedDeliveries, withAttempt } from './missed.ts';

const NOW = Date.parse('2026-11-26T08:00:00Z');
const SWEEP_MS = 600_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();
const attempt = (id: number, guid: string, status_code: number, secondsAgo = 60, event = 'push') => {
  return { id, guid, event, status_code, delivered_at: at(secondsAgo), redelivery: false };
};
const again = (made: DeliveryAttempt): DeliveryAttempt => ({ ...made, redelivery: true });

function known(attempts: readonly DeliveryAttempt[]): readonly Delivery[] {
  const byGuid = new Map<string, Delivery>();
  for (const each of attempts) byGuid.set(each.guid, withAttempt(byGuid.get(each.guid), each));
  return [...byGuid.values()];
}

const missed = (attempts: readonly DeliveryAttempt[], nowMs = NOW) =>
  missedDeliveries(known(attempts), nowMs).map(({ latest }) => latest.id);

test('a delivery that nobody answered, or with 5xx, is asked for again, oldest first', () => {
  expect(missed([attempt(9, 'b', 503), attempt(4, 'a', 0)])).toEqual([4, 9]);
});

test('not one that a later attempt got through, that was refused, is under way or too old', () => {
  const attempts = [
    attempt(1, 'through', 503),
    again(attempt(2, 'through', 202)),
    attempt(3, 'refused', 401),
    attempt(4, 'under way', 0, 5),
    attempt(5, 'old', 0, 4 * 86_400),
  ];
  expect(missed(attempts)).toEqual([]);
  expect(missed([...attempts].reverse())).toEqual([]);
});

test('the latest attempt of a delivery is the one to repeat, in whatever order they are read', () => {
  const attempts = [attempt(1, 'a', 0, 1300), again(attempt(2, 'a', 502, 700))];
  expect(missed(attempts)).toEqual([2]);
  expect(missed([...attempts].reverse())).toEqual([2]);
});

test('what people said comes before what a sweep finds anyway', () => {
  const attempts = [attempt(1, 'a', 0), attempt(2, 'b', 0, 60, 'issue_comment'), attempt(3, 'c', 0)];
  expect(missed(attempts)).toEqual([2, 1, 3]);
});

test('one that fails again and again is asked for at ever longer gaps, for three days and no longer', () => {
  const attempts = [attempt(1, 'a', 0, 0)];
  const askedAfter: number[] = [];
  // each redelivery is made a moment after the sweep that asked for it
  for (let passed = SWEEP_MS; passed <= 4 * DAY_MS; passed += SWEEP_MS) {
    const id = attempts.length + 1;
    if (missed(attempts, NOW + passed).length === 0) continue;
    askedAfter.push(passed / 60_000);
    attempts.push(again(attempt(id, 'a', 503, -(passed / 1000 + 5))));
  }
  const gaps = askedAfter.map((minutes, n) => minutes - (askedAfter[n - 1] ?? 0));
  expect(gaps.slice(0, 8)).toEqual([10, 20, 40, 80, 160, 240, 240, 240]);
  expect(new Set(gaps.slice(8))).toEqual(new Set([240]));
  expect(askedAfter.at(-1)).toBeGreaterThan(68 * 60);
  expect(askedAfter.at(-1)).toBeLessThan(72 * 60);
  expect(askedAfter.length).toBeLessThan(25);
});

test('one whose first attempt was not read yet waits; where the list ends without it, it is past', () => {
  const [later] = known([again(attempt(8, 'a', 503, 3600))]);
  if (later === undefined) throw new Error('no delivery');
  expect(missedDeliveries([later], NOW)).toEqual([]);
  expect(isPast(later, NOW, false)).toBe(false);
  expect(isPast(later, NOW, true)).toBe(true);
  const whole = withAttempt(later, attempt(2, 'a', 503, 7000));
  expect(missedDeliveries([whole], NOW)).toEqual([whole]);
  expect(isPast(whole, NOW, true)).toBe(false);
  expect(isPast(whole, NOW + 3 * DAY_MS, true)).toBe(true);
});
