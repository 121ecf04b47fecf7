import { expect, test } from 'vitest';
import { missedAttempts } from './missed.ts';

const NOW = Date.parse('2026-11-26T08:00:00Z');
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();
const attempt = (id: number, guid: string, status_code: number, secondsAgo = 60, event = 'push') => {
  return { id, guid, event, status_code, delivered_at: at(secondsAgo), redelivery: false };
};

test('a delivery that nobody answered, or with 5xx, is asked for again, oldest first', () => {
  expect(missedAttempts([attempt(9, 'b', 503), attempt(4, 'a', 0)], NOW)).toEqual([4, 9]);
});

test('not one that a later attempt got through, that was refused, is under way, too old, or hopeless', () => {
  const attempts = [
    attempt(1, 'through', 503),
    attempt(2, 'through', 202),
    attempt(3, 'refused', 401),
    attempt(4, 'under way', 0, 5),
    attempt(5, 'old', 0, 4 * 86_400),
    ...[6, 7, 8, 9, 10].map((id) => attempt(id, 'hopeless', 500)),
  ];
  expect(missedAttempts(attempts, NOW)).toEqual([]);
});

test('the latest attempt of a delivery is the one to repeat', () => {
  expect(missedAttempts([attempt(1, 'a', 0), attempt(2, 'a', 502)], NOW)).toEqual([2]);
});

test('what people said comes before what a sweep finds anyway', () => {
  const attempts = [attempt(1, 'a', 0), attempt(2, 'b', 0, 60, 'issue_comment'), attempt(3, 'c', 0)];
  expect(missedAttempts(attempts, NOW)).toEqual([2, 1, 3]);
});
