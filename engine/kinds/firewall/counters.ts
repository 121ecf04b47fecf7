import type { FirewallState, RuleCounter } from '../../facts/firewall.ts';
import { childPointer } from '../../spec/pointer.ts';
import type { KindFinding } from '../kind.ts';
import type { DesiredFirewall, Rules } from './spec.ts';

/** A rule that met with nothing for so long is told; what happens once a month has happened by then. Seconds. */
const UNUSED_SECONDS = 35 * 86_400;
/** Rules whose counts are shown; the rest are counted. */
const SHOWN_MAX = 40;

/** What a chain does, as a document has it. */
const CHAINS: Readonly<Record<string, string>> = {
  input: 'in',
  output: 'out',
  forward: 'through',
  prerouting: 'led elsewhere',
  postrouting: 'translated',
};

/** What the kernel counted: told once a change is verified, when others have looked from outside; and rules that nobody needs. */
export function counterFindings(
  desired: DesiredFirewall,
  { counters }: Pick<FirewallState, 'counters'>,
): readonly KindFinding[] {
  if (counters === undefined) return [];
  const { seconds, rules } = counters;
  const unused = seconds < UNUSED_SECONDS ? [] : unusedRules(desired, rules, Math.floor(seconds / 86_400));
  return [counted(rules, seconds), ...unused];
}

function counted(rules: readonly RuleCounter[], seconds: number): KindFinding {
  const chains = Object.entries(CHAINS).flatMap(([chain, words]) => {
    const mine = rules
      .filter((rule) => rule.chain === chain)
      .map(({ name, packets }) => `${name} ${packets}`);
    const rest = mine.length - SHOWN_MAX;
    const shown = rest > 0 ? [...mine.slice(0, SHOWN_MAX), `${rest} more`] : mine;
    return mine.length === 0 ? [] : [`${words}: ${shown.join(', ')}`];
  });
  const message = `packets counted in the ${duration(seconds)} since the rules were loaded: ${chains.join('; ')}`;
  return { severity: 'info', message, readBack: true };
}

function unusedRules(
  { inbound, outbound, forward }: DesiredFirewall,
  counters: readonly RuleCounter[],
  days: number,
): readonly KindFinding[] {
  const of = (chain: string, pointer: string, rules: Rules): readonly KindFinding[] =>
    Object.keys(rules)
      .filter((name) => counters.some((one) => one.chain === chain && one.name === name && one.packets === 0))
      .map((name) => ({
        severity: 'warning',
        message: `the rule ${name} met with no packet in ${days} days; remove it if nobody needs it`,
        pointer: childPointer(pointer, name),
      }));
  return [
    ...of('input', '/inbound', inbound),
    ...of('output', '/outbound/rules', outbound.rules),
    ...of('forward', '/forward/rules', forward?.rules ?? {}),
  ];
}

function duration(seconds: number): string {
  const [size, unit] = UNITS.find(([least]) => seconds >= 2 * least) ?? [1, 'seconds'];
  return `${Math.floor(seconds / size)} ${unit}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'days'],
  [3_600, 'hours'],
  [60, 'minutes'],
];
