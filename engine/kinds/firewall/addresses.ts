import { isIPv4, isIPv6 } from 'node:net';

type Family = 4 | 6;

/** Both ends count. */
interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/** A set of addresses: intervals in order, apart from each other. */
export interface Addresses {
  readonly v4: readonly Interval[];
  readonly v6: readonly Interval[];
}

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

export const NOBODY: Addresses = { v4: [], v6: [] };
export const EVERYBODY: Addresses = { v4: [whole(4)], v6: [whole(6)] };

function whole(family: Family): Interval {
  return { first: 0n, last: (1n << BigInt(BITS[family])) - 1n };
}

export type Cidr =
  | { readonly kind: 'cidr'; readonly text: string; readonly family: Family; readonly interval: Interval }
  /** `text` is the block that was meant. */
  | { readonly kind: 'host-bits'; readonly text: string }
  | { readonly kind: 'no-cidr' };

/** An address, or a block such as `10.0.0.0/8`; `text` in its one canonical form (RFC 5952 for IPv6). */
export function readCidr(source: string): Cidr {
  const [, address = '', prefix] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(source) ?? [];
  const family = isIPv4(address) ? 4 : isIPv6(address) && !address.includes('%') ? 6 : undefined;
  if (family === undefined) return { kind: 'no-cidr' };
  const bits = BITS[family];
  const length = prefix === undefined ? bits : Number(prefix);
  if (length > bits) return { kind: 'no-cidr' };
  const value = toNumber(address, family);
  const size = 1n << BigInt(bits - length);
  const first = value - (value % size);
  const text = cidrText(first, length, family);
  if (first !== value) return { kind: 'host-bits', text };
  return { kind: 'cidr', text, family, interval: { first, last: first + size - 1n } };
}

function toNumber(address: string, family: Family): bigint {
  if (family === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  return groupsOf(address).reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

/** The eight groups of an IPv6 address that `isIPv6` has accepted. */
function groupsOf(address: string): readonly string[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high = '', low = '') => (Number(high) * 256 + Number(low)).toString(16);
  const plain =
    dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
}

function cidrText(first: bigint, length: number, family: Family): string {
  const address =
    family === 4 ? dottedText(first) : new URL(`http://[${hexText(first)}]/`).hostname.slice(1, -1);
  return length === BITS[family] ? address : `${address}/${length}`;
}

function dottedText(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

function hexText(value: bigint): string {
  return [...Array(8).keys()].map((n) => ((value >> BigInt(112 - 16 * n)) & 65535n).toString(16)).join(':');
}

/** Rules are asked for their addresses once a port and interface. */
const known = new WeakMap<readonly string[], Addresses>();

/** The set of some blocks; what is no block is left out. null: everybody. */
export function addressesOf(blocks: readonly string[] | null): Addresses {
  if (blocks === null) return EVERYBODY;
  const set = known.get(blocks) ?? readAll(blocks);
  known.set(blocks, set);
  return set;
}

function readAll(blocks: readonly string[]): Addresses {
  const read = blocks.map(readCidr).filter((cidr) => cidr.kind === 'cidr');
  const of = (family: Family) => joined(read.filter((c) => c.family === family).map((c) => c.interval));
  return { v4: of(4), v6: of(6) };
}

/** In order, those that overlap or touch made one. */
function joined(intervals: readonly Interval[]): readonly Interval[] {
  const result: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const last = result.at(-1);
    if (last === undefined || next.first > last.last + 1n) result.push(next);
    else if (next.last > last.last) result[result.length - 1] = { first: last.first, last: next.last };
  }
  return result;
}

export function union(...sets: readonly Addresses[]): Addresses {
  return { v4: joined(sets.flatMap((set) => set.v4)), v6: joined(sets.flatMap((set) => set.v6)) };
}

export function without(set: Addresses, others: Addresses): Addresses {
  return { v4: cutOut(set.v4, others.v4), v6: cutOut(set.v6, others.v6) };
}

/** One pass over both, which are in order: lists are as long as a pull request makes them. */
function cutOut(intervals: readonly Interval[], holes: readonly Interval[]): readonly Interval[] {
  const left: Interval[] = [];
  let next = 0;
  for (const { first, last } of intervals) {
    let from = first;
    while ((holes[next]?.last ?? last) < first) next++;
    for (let at = next; at < holes.length && from <= last; at++) {
      const hole = holes[at];
      if (hole === undefined || hole.first > last) break;
      if (hole.first > from) left.push({ first: from, last: hole.first - 1n });
      from = hole.last + 1n;
    }
    if (from <= last) left.push({ first: from, last });
  }
  return left;
}

export function isNobody(set: Addresses): boolean {
  return set.v4.length === 0 && set.v6.length === 0;
}

/** Everything of `inner` is in `outer`. */
export function contains(outer: Addresses, inner: Addresses): boolean {
  return isNobody(without(inner, outer));
}

export function overlap(a: Addresses, b: Addresses): boolean {
  return !isNobody(without(a, without(EVERYBODY, b)));
}

/** The fewest blocks that make up the set, IPv4 first, in order. */
export function blocksOf(set: Addresses): readonly string[] {
  return [...set.v4.flatMap((one) => blocks(one, 4)), ...set.v6.flatMap((one) => blocks(one, 6))];
}

function blocks({ first, last }: Interval, family: Family): readonly string[] {
  const result: string[] = [];
  for (let at = first; at <= last; ) {
    let length = BITS[family];
    // The largest block that begins here and does not go too far.
    while (length > 0) {
      const size = 1n << BigInt(BITS[family] - length + 1);
      if (at % size !== 0n || at + size - 1n > last) break;
      length--;
    }
    result.push(cidrText(at, length, family));
    at += 1n << BigInt(BITS[family] - length);
  }
  return result;
}
