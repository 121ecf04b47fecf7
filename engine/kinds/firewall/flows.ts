import * as addresses from './addresses.ts';
import { type Addresses, addressesOf, EVERYBODY, isNobody } from './addresses.ts';
import type { Rule } from './spec.ts';

/** Senders, each with all of these receivers that are of its family. */
export interface Flow {
  readonly from: Addresses;
  readonly to: Addresses;
}

/** Who talks to whom; some of it may stand there more than once. */
export type Flows = readonly Flow[];

export const EVERYTHING: Flows = [{ from: EVERYBODY, to: EVERYBODY }];

export function flowsOf({ from, to }: Pick<Rule, 'from' | 'to'>): Flows {
  return [{ from: addressesOf(from), to: addressesOf(to) }].filter((flow) => !isNothing(flow));
}

function isNothing({ from, to }: Flow): boolean {
  return (from.v4.length === 0 || to.v4.length === 0) && (from.v6.length === 0 || to.v6.length === 0);
}

/** In few flows: those to the same receivers are one, and then those from the same senders. */
export function union(flows: Flows): Flows {
  if (flows.length < 2) return flows;
  const bySenders = gather(flows, 'to', 'from').map(([to, from]) => ({ from, to }));
  return gather(bySenders, 'from', 'to').map(([from, to]) => ({ from, to }));
}

/** What flows have alike on one side, each with all that they have on the other. */
function gather(flows: Flows, alike: keyof Flow, other: keyof Flow): readonly [Addresses, Addresses][] {
  const groups: { readonly side: Addresses; readonly others: Addresses[] }[] = [];
  for (const flow of flows) {
    const group = groups.find(({ side }) => isSame(side, flow[alike]));
    if (group === undefined) groups.push({ side: flow[alike], others: [flow[other]] });
    else group.others.push(flow[other]);
  }
  return groups.map(({ side, others }) => [side, addresses.union(...others)]);
}

function isSame(a: Addresses, b: Addresses): boolean {
  return a === b || (isSameList(a.v4, b.v4) && isSameList(a.v6, b.v6));
}

function isSameList(a: Addresses['v4'], b: Addresses['v4']): boolean {
  return (
    a.length === b.length && a.every(({ first, last }, n) => first === b[n]?.first && last === b[n]?.last)
  );
}

export function without(flows: Flows, holes: Flows): Flows {
  return holes.reduce((left, hole) => left.flatMap((flow) => outside(flow, hole)), flows);
}

function outside(flow: Flow, hole: Flow): Flows {
  const untouched = addresses.without(flow.from, hole.from);
  const touched = addresses.without(flow.from, untouched);
  if (isNobody(touched)) return [flow];
  return [
    { from: untouched, to: flow.to },
    { from: touched, to: addresses.without(flow.to, hole.to) },
  ].filter((one) => !isNothing(one));
}

/** Everything of `inner` is in `outer`. */
export function contains(outer: Flows, inner: Flows): boolean {
  return without(inner, outer).length === 0;
}

export function overlap(some: Flows, others: Flows): boolean {
  return some.some((a) => others.some((b) => !isNothing(shared(a, b))));
}

function shared(a: Flow, b: Flow): Flow {
  const both = (one: Addresses, other: Addresses) => addresses.without(one, addresses.without(one, other));
  return { from: both(a.from, b.from), to: both(a.to, b.to) };
}

export function sendersOf(flows: Flows): Addresses {
  return addresses.union(...flows.map(({ from }) => from));
}

export function receiversOf(flows: Flows): Addresses {
  return addresses.union(...flows.map(({ to }) => to));
}
