import { expect, it } from 'vitest';
import { counterFindings } from './counters.ts';
import { CLOSED, RULE } from './testing/spec.ts';

const FIREWALL = {
  ...CLOSED,
  inbound: { web: RULE, metrics: RULE, abuse: { ...RULE, action: 'drop' } },
  forward: { default: 'drop', rules: { lan: RULE } },
} as const;
const rules = (metrics: number) => [
  { chain: 'input', name: 'management', packets: 12 },
  { chain: 'input', name: 'web', packets: 3 },
  { chain: 'input', name: 'metrics', packets: metrics },
  { chain: 'input', name: 'no rule accepts it', packets: 7 },
  { chain: 'forward', name: 'lan', packets: 0 },
];
const DAY = 86_400;

it('reads back what the kernel counted, chain by chain', () => {
  expect(counterFindings(FIREWALL, { counters: { seconds: 7_300, rules: rules(0) } })).toEqual([
    {
      severity: 'info',
      message:
        'packets counted in the 2 hours since the rules were loaded: in: management 12, web 3, metrics 0, no rule accepts it 7; through: lan 0',
      readBack: true,
    },
  ]);
  expect(counterFindings(FIREWALL, {})).toEqual([]);
});

it('a rule that met with nothing for five weeks is told at its line; one that is not in the table, or met with something, is not', () => {
  const told = (seconds: number) =>
    counterFindings(FIREWALL, { counters: { seconds, rules: rules(1) } }).filter(
      ({ severity }) => severity === 'warning',
    );
  expect(told(35 * DAY - 1)).toEqual([]);
  expect(told(40 * DAY)).toEqual([
    {
      severity: 'warning',
      message: 'the rule lan met with no packet in 40 days; remove it if nobody needs it',
      pointer: '/forward/rules/lan',
    },
  ]);
});
