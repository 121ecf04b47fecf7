import { type Addresses, addressesOf, EVERYBODY, NOBODY, union, without } from './addresses.ts';
import type { DesiredFirewall, PortRange, Protocol, Rule } from './spec.ts';

/** One direction of a firewall, as far as it decides who gets through. */
export interface Gate {
  readonly direction: 'in' | 'out';
  readonly default: 'accept' | 'drop';
  readonly rules: readonly Rule[];
  /** What no rule can deny: how the engine itself comes in. */
  readonly always: readonly Rule[];
}

const ANY = { from: null, to: null, inInterfaces: [], outInterfaces: [], log: false } as const;

/** Whom the host lets in. */
export function inboundGate({ inbound, management }: Pick<DesiredFirewall, 'inbound' | 'management'>): Gate {
  const ports: readonly PortRange[] = [{ protocol: 'tcp', first: management.port, last: management.port }];
  const always = [{ ...ANY, action: 'accept', ports, from: management.from } as const];
  return { direction: 'in', default: 'drop', rules: Object.values(inbound), always };
}

/** To whom the host may go. */
export function outboundGate({ outbound }: Pick<DesiredFirewall, 'outbound'>): Gate {
  return { direction: 'out', default: outbound.default, rules: Object.values(outbound.rules), always: [] };
}

/** Before anything was filtered. */
export function openGate(direction: Gate['direction']): Gate {
  return { direction, default: 'accept', rules: [], always: [] };
}

/** A range of ports that all rules treat alike, on interfaces that they do. */
export interface Cell {
  /** `other`: every protocol that no rule names. */
  readonly protocol: Protocol | 'other';
  readonly first: number;
  readonly last: number;
  /** As rules name it; undefined: all that none names. */
  readonly on: string | undefined;
}

/** All there is, cut where some rule begins or ends. */
export function cellsOf(...gates: readonly Gate[]): readonly Cell[] {
  const rules = gates.flatMap((gate) => [...gate.rules, ...gate.always]);
  const ranges = rules.flatMap(({ ports }) => ports);
  const protocols = new Set<Cell['protocol']>(['tcp', 'udp', ...ranges.map((r) => r.protocol), 'other']);
  const interfaces = gates.flatMap((gate) => gate.rules.flatMap((rule) => interfacesOf(gate, rule)));
  const places = [...new Set(interfaces)].sort();
  return [...protocols].flatMap((protocol) =>
    cut(ranges.filter((range) => range.protocol === protocol)).flatMap(([first, last]) =>
      [...places, undefined].map((on) => ({ protocol, first, last, on })),
    ),
  );
}

const LAST_PORT = 65_535;

/**
 * Work that looking at these gates takes: the cells of each rule, times all blocks of addresses. What a pull request or a
 * host can ask for is more than anybody can wait for.
 */
export function workOf(...gates: readonly Gate[]): number {
  const rules = gates.flatMap((gate) => [...gate.rules, ...gate.always]);
  const borders = rules
    .flatMap(({ ports }) => ports.flatMap((range) => [range.first, range.last + 1]))
    .sort((a, b) => a - b);
  const places =
    new Set(gates.flatMap((gate) => gate.rules.flatMap((rule) => interfacesOf(gate, rule)))).size + 1;
  const blocks = rules.reduce((sum, { from, to }) => sum + 1 + (from?.length ?? 0) + (to?.length ?? 0), 1);
  const all = borders.length + PROTOCOLS;
  const within = ({ first, last }: PortRange) =>
    1 + countBelow(borders, last + 1) - countBelow(borders, first);
  const cells = rules.map(({ ports }) =>
    ports.length === 0 ? all : ports.reduce((sum, range) => sum + within(range), 0),
  );
  return places * (all * rules.length + cells.reduce((sum, one) => sum + one, 0) * blocks);
}

/** Less than a second. */
export const WORK_MAX = 1_000_000;

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

/** 0 to 65535 in pieces. */
function cut(ranges: readonly PortRange[]): readonly (readonly [number, number])[] {
  const starts = new Set([0, ...ranges.flatMap(({ first, last }) => [first, last + 1])]);
  const sorted = [...starts].filter((start) => start <= LAST_PORT).sort((a, b) => a - b);
  return sorted.map((start, i) => [start, (sorted[i + 1] ?? LAST_PORT + 1) - 1]);
}

function interfacesOf({ direction }: Gate, rule: Rule): readonly string[] {
  return direction === 'in' ? rule.inInterfaces : rule.outInterfaces;
}

/** Who gets through in a cell. */
export function passing(gate: Gate, cell: Cell): Addresses {
  const of = (rules: readonly Rule[]) => union(...rules.map((rule) => matched(gate, rule, cell)));
  const accepted = gate.default === 'accept' ? EVERYBODY : of(gate.rules.filter(isAccept));
  return union(without(accepted, of(gate.rules.filter((rule) => !isAccept(rule)))), of(gate.always));
}

export function isAccept({ action }: Rule): boolean {
  return action === 'accept';
}

/** Whose packets of a cell a rule is about. */
export function matched(gate: Gate, rule: Rule, cell: Cell): Addresses {
  const interfaces = interfacesOf(gate, rule);
  const here = interfaces.length === 0 || interfaces.some((pattern) => isWithin(cell.on, pattern));
  const port =
    rule.ports.length === 0 ||
    rule.ports.some((r) => r.protocol === cell.protocol && r.first <= cell.first && cell.last <= r.last);
  if (!here || !port) return NOBODY;
  return addressesOf(gate.direction === 'in' ? rule.from : rule.to);
}

/** A name is also a pattern: what a wider one covers is within it. */
export function isWithin(name: string | undefined, pattern: string): boolean {
  if (name === undefined) return false;
  return name === pattern || (pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1)));
}
