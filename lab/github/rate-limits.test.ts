import { expect, test } from 'vitest';
import { createRateLimiter, GITHUB_LIMITS } from './rate-limits.ts';

const CHECKS = '/repos/acme/infra/check-runs';

function limiter() {
  const made = createRateLimiter();
  made.enforce(GITHUB_LIMITS);
  const refused = (times: number, nowMs: number, method = 'POST', path = CHECKS) =>
    Array.from({ length: times }, () => made.take(method, path, nowMs)).filter((each) => each !== undefined);
  return { made, refused };
}

test('80 writes a minute are served, one more gets 403 with Retry-After', () => {
  const { refused } = limiter();
  expect(refused(80, 0)).toEqual([]);
  expect(refused(1, 59_999)).toMatchObject([{ status: 403, headers: { 'retry-after': '60' } }]);
  expect(refused(79, 60_000)).toEqual([]);
});

test('500 writes an hour are served', () => {
  const { refused } = limiter();
  for (let minute = 0; minute < 10; minute++) expect(refused(50, minute * 60_000)).toEqual([]);
  expect(refused(1, 11 * 60_000)).toMatchObject([{ status: 403 }]);
});

test('5,000 requests an hour are served, then nothing remains', () => {
  const { refused } = limiter();
  expect(refused(5_000, 0, 'GET')).toEqual([]);
  const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' };
  expect(refused(1, 1_000, 'GET')).toMatchObject([{ status: 403, headers }]);
});

test('the App itself is not an installation, and without a word there is no limit', () => {
  const { made, refused } = limiter();
  expect(refused(200, 0, 'POST', '/app/installations/1/access_tokens')).toEqual([]);
  made.enforce(undefined);
  expect(refused(200, 0)).toEqual([]);
});
