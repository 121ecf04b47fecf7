import fc from 'fast-check';
import { expect, test } from 'vitest';
import { windowErrors } from '../spec/checks/window.ts';
import type { PolicyWindow } from '../spec/types.generated.ts';
import { isOpen, isSameOpening, opensAt } from './calendar.ts';

const berlin: PolicyWindow = {
  timeZone: 'Europe/Berlin',
  days: ['mon', 'tue', 'wed', 'thu'],
  hours: { from: '09:00', to: '17:00' },
};
const night: PolicyWindow = { timeZone: 'UTC', days: ['fri'], hours: { from: '22:00', to: '04:00' } };

test.each<readonly [string, PolicyWindow, string, boolean]>([
  ['the first minute', berlin, '2026-11-26T08:00:00Z', true],
  ['before it', berlin, '2026-11-26T07:59:59Z', false],
  ['the first minute after it', berlin, '2026-11-26T16:00:00Z', false],
  ['summer time', berlin, '2026-06-25T07:00:00Z', true],
  ['a Friday', berlin, '2026-11-27T10:00:00Z', false],
  ['the night of its day', night, '2026-11-27T23:00:00Z', true],
  ['the morning after it', night, '2026-11-28T03:59:00Z', true],
  ['the end of that morning', night, '2026-11-28T04:00:00Z', false],
  ['the morning of its day', night, '2026-11-27T03:00:00Z', false],
  [
    'the last day of a freeze',
    { timeZone: 'UTC', freeze: [{ from: '2026-12-20', to: '2027-01-06' }] },
    '2027-01-06T23:59:00Z',
    false,
  ],
  [
    'the day after a freeze',
    { timeZone: 'UTC', freeze: [{ from: '2026-12-20', to: '2027-01-06' }] },
    '2027-01-07T00:00:00Z',
    true,
  ],
  [
    'up to the end of the day',
    { timeZone: 'UTC', hours: { from: '12:00', to: '24:00' } },
    '2026-01-01T23:59:00Z',
    true,
  ],
])('%s', (_name, window, at, wanted) => {
  expect(isOpen(window, Date.parse(at))).toBe(wanted);
});

test.each<readonly [string, readonly PolicyWindow[], string, string | undefined]>([
  ['over a weekend', [berlin], '2026-11-26T16:00:00Z', '2026-11-30T08:00:00.000Z'],
  ['open already', [berlin], '2026-11-26T10:00:30Z', '2026-11-26T10:00:30.000Z'],
  [
    'two that overlap',
    [berlin, { timeZone: 'UTC', hours: { from: '12:00', to: '13:00' } }],
    '2026-11-26T14:00:00Z',
    '2026-11-30T12:00:00.000Z',
  ],
  [
    'two that never meet',
    [berlin, { timeZone: 'Europe/Berlin', days: ['sun'] }],
    '2026-11-26T14:00:00Z',
    undefined,
  ],
  [
    'a freeze that ends in the night',
    [{ ...night, days: ['fri', 'sat'], freeze: [{ from: '2026-11-27', to: '2026-11-27' }] }],
    '2026-11-27T12:00:00Z',
    '2026-11-28T00:00:00.000Z',
  ],
  [
    'an hour that clocks skip',
    [{ timeZone: 'Europe/Berlin', hours: { from: '02:30', to: '05:00' } }],
    '2026-03-29T00:00:00Z',
    '2026-03-29T01:00:00.000Z',
  ],
])('opens: %s', (_name, windows, at, wanted) => {
  const found = opensAt(windows, Date.parse(at));
  expect(found === undefined ? undefined : new Date(found).toISOString()).toBe(wanted);
});

const time = fc.integer({ min: 0, max: 24 * 60 - 1 }).map((minutes) => {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
});
const anyWindow = fc
  .record({
    timeZone: fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
    ),
    days: fc.subarray(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const, { minLength: 1 }),
    from: time,
    to: time,
  })
  .filter(({ from, to }) => from !== to)
  .map(({ timeZone, days, from, to }): PolicyWindow => ({ timeZone, days, hours: { from, to } }));
const moment = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-12-31') });

test('an opening is open, is not before now, and what lies between is closed', () => {
  fc.assert(
    fc.property(anyWindow, moment, fc.double({ min: 0, max: 1, noNaN: true }), (window, at, part) => {
      const found = opensAt([window], at);
      if (found === undefined) throw new Error('a weekly window opens within 400 days');
      expect(isOpen(window, found)).toBe(true);
      expect(found).toBeGreaterThanOrEqual(at);
      const between = Math.floor(at + (found - at) * part * 0.999_999);
      if (found > at) expect(isOpen(window, between)).toBe(false);
    }),
    { numRuns: 200 },
  );
});

const isoDay = (at: number): string => new Date(at).toISOString().slice(0, 10);
/** One after the other, with a few days between. */
const freezes = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: 9 }), days: fc.integer({ min: 0, max: 250 }) }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((all) => {
    let day = Date.parse('2026-11-01');
    return all.map(({ gap, days }) => {
      const from = day + gap * 86_400_000;
      day = from + days * 86_400_000;
      return { from: isoDay(from), to: isoDay(day) };
    });
  });

test('a frozen window opens within 400 days, or is told as a mistake', () => {
  fc.assert(
    fc.property(anyWindow, freezes, moment, (window, freeze, at) => {
      const frozen = { ...window, timeZone: 'UTC', freeze };
      fc.pre(windowErrors(frozen, '').length === 0);
      expect(opensAt([frozen], at)).toBeDefined();
    }),
    { numRuns: 200 },
  );
});

test.each<readonly [string, PolicyWindow, string, string, boolean]>([
  ['an hour later', berlin, '2026-11-26T09:00:00Z', '2026-11-26T10:00:00Z', true],
  ['the next day', berlin, '2026-11-25T15:00:00Z', '2026-11-26T09:00:00Z', false],
  ['after it shut', berlin, '2026-11-26T15:00:00Z', '2026-11-26T16:30:00Z', false],
  ['over midnight', night, '2026-11-27T23:00:00Z', '2026-11-28T03:00:00Z', true],
  ['a week later', night, '2026-11-27T23:00:00Z', '2026-12-04T23:00:00Z', false],
  ['the same day, open all day', { timeZone: 'UTC' }, '2026-11-27T00:00:00Z', '2026-11-27T23:59:00Z', true],
  ['the next day, open all day', { timeZone: 'UTC' }, '2026-11-27T23:59:00Z', '2026-11-28T00:00:00Z', false],
])('one opening of a window: %s', (_, window, one, other, same) => {
  expect(isSameOpening(window, Date.parse(one), Date.parse(other))).toBe(same);
});
