import { expect, test } from 'vitest';
import type { PolicyWindow } from './types.ts';
import { windowNow } from './windowNow.ts';

const days: PolicyWindow = { timeZone: 'UTC', hours: { from: '09:00', to: '16:00' } };
const frozen: PolicyWindow = { timeZone: 'UTC', freeze: [{ from: '2026-12-20', to: '2027-01-06' }] };
const never: PolicyWindow = { timeZone: 'UTC', freeze: [{ from: '2026-01-01', to: '2099-01-01' }] };

test.each([
  ['inside', [days], '2026-12-18T15:59:59Z', { kind: 'open' }],
  ['over its end', [days], '2026-12-18T16:00:00Z', { kind: 'shut', until: '2026-12-19T09:00:00.000Z' }],
  [
    'into a freeze',
    [days, frozen],
    '2026-12-20T10:00:00Z',
    { kind: 'shut', until: '2027-01-07T09:00:00.000Z' },
  ],
  ['for longer than anybody looks', [never], '2026-12-18T10:00:00Z', { kind: 'shut' }],
] as const)('a run that comes %s', (_, windows, at, state) => {
  expect(windowNow(windows, Date.parse(at))).toEqual(state);
});
