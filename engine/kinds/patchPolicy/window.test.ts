import { describe, expect, test } from 'vitest';
import type { PlannedDocument } from '../../spec/documents.ts';
import type { PatchPolicySpec } from '../../spec/types.generated.ts';
import { lengthMinutes, maintenanceOf } from './window.ts';

function declared(spec: Partial<PatchPolicySpec>, name = 'security') {
  const document = { ref: `PatchPolicy/${name}`, spec: { targets: { all: true }, ...spec } };
  return maintenanceOf(document as unknown as PlannedDocument<'PatchPolicy'>);
}

test('without a window nothing is done by itself', () => {
  expect(declared({ reboot: 'ifRequired' })).toBeUndefined();
});

test.each([
  ['ifRequired', true],
  ['ask', false],
  ['never', false],
] as const)('with "reboot: %s" it may reboot: %s', (reboot, reboots) => {
  expect(declared({ reboot, window: { timeZone: 'UTC' } })).toEqual({ window: { timeZone: 'UTC' }, reboots });
});

describe('jitter', () => {
  const hours = { from: '23:50', to: '04:00' };
  const opening = (name: string): string | undefined =>
    declared({ window: { timeZone: 'UTC', hours, jitter: '20m' } }, name)?.window.hours?.from;

  test('opens the window later by less than it, the same every time, also over midnight', () => {
    const names = Array.from({ length: 200 }, (_, i) => `p${i}`);
    const openings = new Set(names.map(opening));
    for (const from of openings) expect(from).toMatch(/^(23:5\d|00:0\d)$/);
    expect(openings.size).toBe(20);
    expect(names.map(opening)).toEqual(names.map(opening));
  });

  test('leaves the end as it is; where it leads over midnight, the days are those after', () => {
    const windows = Array.from({ length: 50 }, (_, i) => {
      const window = { timeZone: 'UTC', days: ['sat' as const, 'sun' as const], hours, jitter: '20m' };
      return declared({ window }, `p${i}`)?.window;
    });
    const days = new Map(windows.map((window) => [window?.hours?.from.slice(0, 2), window?.days]));
    expect(days).toEqual(
      new Map([
        ['23', ['sat', 'sun']],
        ['00', ['sun', 'mon']],
      ]),
    );
    expect(windows.every((window) => window?.hours?.to === '04:00')).toBe(true);
  });

  test('of a window that is open all day is taken from its beginning', () => {
    const window = declared({ window: { timeZone: 'UTC', jitter: '2h' } })?.window;
    expect(window?.hours).toEqual({ from: expect.stringMatching(/^0[01]:/), to: '24:00' });
  });
});

test.each([
  [{ from: '02:00', to: '04:00' }, 120],
  [{ from: '23:00', to: '01:00' }, 120],
  [{ from: '00:00', to: '24:00' }, 1440],
])('a window with the hours %j is open for %d minutes', (hours, minutes) => {
  expect(lengthMinutes({ timeZone: 'UTC', hours })).toBe(minutes);
});
