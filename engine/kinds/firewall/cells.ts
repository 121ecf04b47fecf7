import { contains, type Flows, flowsOf, overlap } from './flows.ts';
import type { PortRange, Protocol, Rule } from './spec.ts';

/** A range of ports that all rules treat alike, on interfaces that they do. */
export interface Cell {
  /** `other`: every protocol that no rule names. */
  readonly protocol: Protocol | 'other';
  readonly first: number;
  readonly last: number;
  /** As rules name it; undefined: all that none names. */
  readonly in: string | undefined;
  readonly out: string | undefined;
}

export type Ports = Omit<Cell, 'in' | 'out'>;

/** All there is, cut where some rule begins or ends. */
export interface Cuts {
  readonly ports: readonly Ports[];
  readonly ins: readonly (string | undefined)[];
  readonly outs: readonly (string | undefined)[];
}

export function cutsOf(rules: readonly Rule[]): Cuts {
  const ranges = rules.flatMap(({ ports }) => ports);
  const protocols = new Set<Cell['protocol']>(['tcp', 'udp', ...ranges.map((r) => r.protocol), 'other']);
  const places = (of: (rule: Rule) => readonly string[]) => [...new Set(rules.flatMap(of))].sort();
  return {
    ports: [...protocols].flatMap((protocol) =>
      cut(ranges.filter((range) => range.protocol === protocol)).map(([first, last]) => ({
        protocol,
        first,
        last,
      })),
    ),
    ins: [...places(({ inInterfaces }) => inInterfaces), undefined],
    outs: [...places(({ outInterfaces }) => outInterfaces), undefined],
  };
}

export function cellsOf({ ports, ins, outs }: Cuts): readonly Cell[] {
  return ports.flatMap((range) =>
    ins.flatMap((one) => outs.map((other) => ({ ...range, in: one, out: other }))),
  );
}

/** Those that a rule is about, whoever sends. */
export function cutsWithin({ ports, ins, outs }: Cuts, rule: Rule): Cuts {
  return {
    ports: ports.filter((range) => hasPorts(rule, range)),
    ins: ins.filter((name) => isAmong(name, rule.inInterfaces)),
    outs: outs.filter((name) => isAmong(name, rule.outInterfaces)),
  };
}

const LAST_PORT = 65_535;

/** 0 to 65535 in pieces. */
function cut(ranges: readonly PortRange[]): readonly (readonly [number, number])[] {
  const starts = new Set([0, ...ranges.flatMap(({ first, last }) => [first, last + 1])]);
  const sorted = [...starts].filter((start) => start <= LAST_PORT).sort((a, b) => a - b);
  return sorted.map((start, i) => [start, (sorted[i + 1] ?? LAST_PORT + 1) - 1]);
}

/** Whose packets of a cell, and to whom, a rule is about. */
export function matched(rule: Rule, cell: Cell): Flows {
  const here = isAmong(cell.in, rule.inInterfaces) && isAmong(cell.out, rule.outInterfaces);
  return here && hasPorts(rule, cell) ? flowsOf(rule) : [];
}

/** No ports at all are every port. */
export function hasPorts({ ports }: Pick<Rule, 'ports'>, { protocol, first, last }: Ports): boolean {
  return (
    ports.length === 0 || ports.some((r) => r.protocol === protocol && r.first <= first && last <= r.last)
  );
}

function isAmong(name: string | undefined, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => isWithin(name, pattern));
}

/** A name is also a pattern: what a wider one covers is within it. */
export function isWithin(name: string | undefined, pattern: string): boolean {
  if (name === undefined) return false;
  return name === pattern || (pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1)));
}

/** Whether some packet is what both rules are about. */
export function meet(a: Rule, b: Rule): boolean {
  const ports =
    a.ports.length === 0 ||
    b.ports.length === 0 ||
    a.ports.some((x) =>
      b.ports.some((y) => x.protocol === y.protocol && x.first <= y.last && y.first <= x.last),
    );
  return (
    ports &&
    placesMeet(a.inInterfaces, b.inInterfaces) &&
    placesMeet(a.outInterfaces, b.outInterfaces) &&
    overlap(flowsOf(a), flowsOf(b))
  );
}

function placesMeet(some: readonly string[], others: readonly string[]): boolean {
  return (
    some.length === 0 ||
    others.length === 0 ||
    some.some((x) => others.some((y) => isWithin(x, y) || isWithin(y, x)))
  );
}

/** Whether one rule alone is about every packet that another is about. */
export function covers(outer: Rule, inner: Rule): boolean {
  return (
    portsCover(outer.ports, inner.ports) &&
    placesCover(outer.inInterfaces, inner.inInterfaces) &&
    placesCover(outer.outInterfaces, inner.outInterfaces) &&
    contains(flowsOf(outer), flowsOf(inner))
  );
}

export function portsCover(outer: readonly PortRange[], inner: readonly PortRange[]): boolean {
  if (outer.length === 0) return true;
  return (
    inner.length > 0 &&
    inner.every((b) => outer.some((a) => a.protocol === b.protocol && a.first <= b.first && b.last <= a.last))
  );
}

export function placesCover(outer: readonly string[], inner: readonly string[]): boolean {
  if (outer.length === 0) return true;
  return inner.length > 0 && inner.every((name) => outer.some((pattern) => isWithin(name, pattern)));
}
