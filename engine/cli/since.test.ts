import { expect, test } from 'vitest';
import { sinceTime } from './since.ts';

const NOW = Date.parse('2026-11-26T08:00:00Z');

test.each([
  ['30m', '2026-11-26T07:30:00Z'],
  ['24h', '2026-11-25T08:00:00Z'],
  ['7d', '2026-11-19T08:00:00Z'],
  ['2026-11-01', '2026-11-01T00:00:00Z'],
  ['2026-11-01T10:00', '2026-11-01T10:00:00Z'],
  ['2026-11-01T10:00+02:00', '2026-11-01T08:00:00Z'],
])('%s is %s', (text, expected) => {
  expect(new Date(sinceTime(text, NOW)).toISOString()).toBe(new Date(expected).toISOString());
});

test.each(['', 'yesterday', '7', '1y', '2026-13-45', '2026-11-01T25:00', '-1d'])('%s is refused', (text) => {
  expect(() => sinceTime(text, NOW)).toThrow('is no time: write 30m, 24h or 7d');
});
