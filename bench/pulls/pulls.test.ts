import { expect, test } from 'vitest';
import { missedBars, sizeOf } from './pulls.ts';

const HELD = { pulls: 500, planned: 500, merged: 500, effects: 500, locks_left: 0, rss_peak_mb: 512 };

test('nothing is missed where all came to their end within the memory', () => {
  expect(missedBars(HELD)).toEqual([]);
});

test('what is missed is named', () => {
  expect(missedBars({ ...HELD, rss_peak_mb: 513 })).toEqual(['the engine needed 513 MB, bar 512']);
  expect(missedBars({ ...HELD, rss_peak_mb: Number.NaN })).toHaveLength(1);
  expect(missedBars({ ...HELD, merged: 499, effects: 501, locks_left: 1 })).toEqual([
    'merged 499 of 500',
    'effects 501 of 500',
    'locks left: 1',
  ]);
});

test('a size is a number of something, or is refused', () => {
  expect(sizeOf([])).toEqual({ pulls: 500, hosts: 5, minutes: 60 });
  expect(sizeOf(['--pulls', '30', '--minutes', '10'])).toEqual({ pulls: 30, hosts: 5, minutes: 10 });
  for (const wrong of ['0', '-1', '1.5', 'many', ''])
    expect(() => sizeOf([`--pulls=${wrong}`])).toThrow('--pulls takes a whole number above 0');
});
