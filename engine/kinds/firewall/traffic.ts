import { type Cell, type Cuts, cutsOf, matched } from './cells.ts';
import { EVERYTHING, type Flows, union, without } from './flows.ts';
import { takenBy } from './led.ts';
import type { DesiredFirewall, PortRange, Rule } from './spec.ts';

/** One direction of a firewall, as far as it decides who gets through. */
export interface Gate {
  readonly direction: 'in' | 'out' | 'through';
  readonly default: 'accept' | 'drop';
  readonly rules: readonly Rule[];
  /** What no rule can deny: how the engine itself comes in. */
  readonly always: readonly Rule[];
  /** What port forwards lead elsewhere, before any rule sees it. */
  readonly taken: readonly Rule[];
}

const ANY = { from: null, to: null, inInterfaces: [], outInterfaces: [], log: false } as const;

/** Whom the host lets in. */
export function inboundGate({
  inbound,
  management,
  portForwards,
}: Pick<DesiredFirewall, 'inbound' | 'management' | 'portForwards'>): Gate {
  const ports: readonly PortRange[] = [{ protocol: 'tcp', first: management.port, last: management.port }];
  return {
    ...openGate('in'),
    default: 'drop',
    rules: Object.values(inbound),
    always: [{ ...ANY, action: 'accept', ports, from: management.from }],
    taken: Object.values(portForwards).map(takenBy),
  };
}

/** To whom the host may go. */
export function outboundGate({ outbound }: Pick<DesiredFirewall, 'outbound'>): Gate {
  return { ...openGate('out'), default: outbound.default, rules: Object.values(outbound.rules) };
}

/** Who gets to whom through the host; what is not declared is not filtered. */
export function forwardGate({ forward }: Pick<DesiredFirewall, 'forward'>): Gate {
  if (forward === undefined) return openGate('through');
  return { ...openGate('through'), default: forward.default, rules: Object.values(forward.rules) };
}

/** Before anything was filtered. */
export function openGate(direction: Gate['direction']): Gate {
  return { direction, default: 'accept', rules: [], always: [], taken: [] };
}

/** Where some rule of these gates begins or ends. */
export function cutsOfGates(...gates: readonly Gate[]): Cuts {
  return cutsOf(gates.flatMap(rulesOf));
}

export function rulesOf({ rules, always, taken }: Gate): readonly Rule[] {
  return [...rules, ...always, ...taken];
}

/** Less than a second. */
export const WORK_MAX = 1_000_000;

/**
 * Work that looking at these gates takes: the cells of each rule, times all blocks of addresses. What a pull request or a
 * host can ask for is more than anybody can wait for.
 */
export function workOf(...gates: readonly Gate[]): number {
  return workOfRules(gates.flatMap(rulesOf));
}

export function workOfRules(rules: readonly Rule[]): number {
  const borders = rules
    .flatMap(({ ports }) => ports.flatMap((range) => [range.first, range.last + 1]))
    .sort((a, b) => a - b);
  const places =
    (distinct(rules.map((rule) => rule.inInterfaces)) + 1) *
    (distinct(rules.map((rule) => rule.outInterfaces)) + 1);
  const all = borders.length + PROTOCOLS;
  const within = ({ first, last }: PortRange) =>
    1 + countBelow(borders, last + 1) - countBelow(borders, first);
  const cells = rules.map(({ ports }) =>
    ports.length === 0 ? all : ports.reduce((sum, range) => sum + within(range), 0),
  );
  return places * (all * rules.length + cells.reduce((sum, one) => sum + one, 0) * blocksIn(rules));
}

function distinct(names: readonly (readonly string[])[]): number {
  return new Set(names.flat()).size;
}

/** Blocks of addresses that rules name, and one for each rule. */
export function blocksIn(rules: readonly Rule[]): number {
  return rules.reduce((sum, { from, to }) => sum + 1 + (from?.length ?? 0) + (to?.length ?? 0), 1);
}

/** Work that it takes to hold every rule against every other. */
export function workOfPairs(rules: readonly Rule[]): number {
  const ports = portsIn(rules);
  return ports * ports + rules.length * blocksIn(rules);
}

/** Ports and blocks of addresses together. */
export function sizeOf(rules: readonly Rule[]): number {
  return portsIn(rules) + blocksIn(rules);
}

function portsIn(rules: readonly Rule[]): number {
  return rules.reduce((sum, { ports }) => sum + 1 + ports.length, 0);
}

/** All that a rule can name, and the others. */
const PROTOCOLS = 8;

/** How many numbers of a sorted list are below a bound. */
function countBelow(sorted: readonly number[], bound: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Who gets through to whom in a cell. */
export function passing(gate: Gate, cell: Cell): Flows {
  const of = (rules: readonly Rule[]) => union(rules.flatMap((rule) => matched(rule, cell)));
  const accepted = gate.default === 'accept' ? EVERYTHING : of(gate.rules.filter(isAccept));
  const undenied = without(accepted, of(gate.rules.filter((rule) => !isAccept(rule))));
  return without(union([...undenied, ...of(gate.always)]), of(gate.taken));
}

export function isAccept({ action }: Pick<Rule, 'action'>): boolean {
  return action === 'accept';
}
