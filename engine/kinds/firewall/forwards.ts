import { isIPv4 } from 'node:net';
import {
  type Addresses,
  addressesOf,
  contains,
  isNobody,
  NOBODY,
  overlap,
  union,
  without,
} from './addresses.ts';
import type { Oddity } from './findings.ts';
import type { ReadFirewall } from './read.ts';
import type { PortForward, PortRange, Rule } from './spec.ts';
import { isAccept, isWithin } from './traffic.ts';

/** What packets must be like: their ports, where they come in, and from whom. */
interface Traffic {
  readonly ports: readonly PortRange[];
  readonly places: readonly string[];
  readonly who: Addresses;
}

interface Lead extends Traffic {
  readonly name: string;
  readonly target: string;
  readonly forward: PortForward;
}

/**
 * Port forwards that contradict each other or a rule, or lead nobody anywhere. A packet follows the first forward in the
 * document that it matches, and then no rule of `inbound` sees it; the denials of `forward` do.
 */
export function forwardOddities({ portForwards, inbound, forward }: ReadFirewall): readonly Oddity[] {
  const leads = Object.entries(portForwards).map(leadOf);
  const denials = Object.entries(forward?.rules ?? {}).filter(([, rule]) => !isAccept(rule));
  return [
    ...leads.flatMap((lead, index) =>
      oddityOf(lead, leads.slice(0, index), denials).map((odd) => ({
        ...odd,
        pointer: `/spec/portForwards/${lead.name}`,
      })),
    ),
    ...Object.entries(inbound).flatMap(([name, rule]) =>
      ofInbound(name, rule, leads, denials).map((message) => ({
        severity: 'warning' as const,
        pointer: `/spec/inbound/${name}`,
        message,
      })),
    ),
  ];
}

/** Work that it takes, as `workOf` counts it: every pair, times their blocks of addresses. */
export function workOfForwards({ portForwards, inbound, forward }: ReadFirewall): number {
  const leads = Object.values(portForwards);
  const all = [...leads, ...Object.values(inbound), ...Object.values(forward?.rules ?? {})];
  return leads.length * all.reduce((sum, { from, ports }) => sum + 1 + (from?.length ?? 0) + ports.length, 0);
}

/** Only senders of its own family can be led to an address. */
function leadOf([name, forward]: readonly [string, PortForward]): Lead {
  const { ports, from, inInterfaces, address, port } = forward;
  const senders = addressesOf(from);
  const four = isIPv4(address);
  const who = { v4: four ? senders.v4 : [], v6: four ? [] : senders.v6 };
  return {
    name,
    ports,
    places: inInterfaces,
    who,
    target: four ? `${address}:${port}` : `[${address}]:${port}`,
    forward,
  };
}

type Found = Omit<Oddity, 'pointer'>;
type Named = readonly [string, Rule];

/** `earlier`: those before it in the document. The first thing that is odd is enough. */
function oddityOf(lead: Lead, earlier: readonly Lead[], denials: readonly Named[]): readonly Found[] {
  const { name, target } = lead;
  if (isNobody(lead.who))
    return [
      warning(
        `The port forward ${name} leads nobody: none of its senders can have an address like that of ${target}.`,
      ),
    ];
  const denial = denials.find(([, rule]) => covers(deniedTo(lead, rule), lead));
  if (denial !== undefined)
    return [
      contradiction(
        `The port forward ${name} leads to ${target} what the rule ${denial[0]} of "forward" denies, and what is denied stays out; remove one of the two.`,
      ),
    ];
  const first = earlier.find((one) => covers(one, lead));
  if (first?.target === target)
    return [warning(`The port forward ${name} changes nothing: ${first.name} leads all of it there.`)];
  if (first !== undefined)
    return [
      contradiction(
        `The port forward ${name} leads to ${target} what ${first.name} leads to ${first.target}, so it can never hold; remove one of the two.`,
      ),
    ];
  const both = earlier.find((one) => one.target !== target && meet(one, lead));
  if (both === undefined) return [];
  return [
    warning(
      `The port forwards ${both.name} and ${name} lead some of the same to different places, ${both.target} and ${target}: it goes to the former, which stands first.`,
    ),
  ];
}

/** What a rule of `forward` denies of all that is led to this target; where it leaves is not known. */
function deniedTo({ ports, forward }: Lead, rule: Rule): Traffic {
  const there = ports
    .slice(0, 1)
    .map(({ protocol }) => ({ protocol, first: forward.port, last: forward.port }));
  const denied =
    rule.outInterfaces.length === 0 &&
    (rule.ports.length === 0 || portsCover(rule.ports, there)) &&
    contains(addressesOf(rule.to), addressesOf([forward.address]));
  return {
    ports: denied ? ports : [],
    places: rule.inInterfaces,
    who: denied ? addressesOf(rule.from) : NOBODY,
  };
}

function ofInbound(
  name: string,
  rule: Rule,
  leads: readonly Lead[],
  denials: readonly Named[],
): readonly string[] {
  const own = { ports: rule.ports, places: rule.inInterfaces, who: addressesOf(rule.from) };
  if (isAccept(rule)) {
    if (own.ports.length === 0) return [];
    const taking = leads.filter(
      (lead) => portsCover(lead.ports, own.ports) && placesCover(lead.places, own.places),
    );
    if (taking.length === 0 || !contains(union(...taking.map(({ who }) => who)), own.who)) return [];
    return [
      `The rule ${name} changes nothing: ${taking.map((lead) => lead.name).join(' and ')} of "portForwards" leads all of it elsewhere.`,
    ];
  }
  const passed = leads.find((lead) => meet(own, lead) && !isNobody(undenied(own.who, lead, denials)));
  if (passed === undefined) return [];
  return [
    `The rule ${name} does not keep out whom the port forward ${passed.name} leads to ${passed.target}: deny them in the rules of "forward" too.`,
  ];
}

/** Those of the senders that a forward leads on, and that no rule of `forward` stops. */
function undenied(who: Addresses, lead: Lead, denials: readonly Named[]): Addresses {
  const led = without(lead.who, without(lead.who, who));
  const stopping = denials
    .map(([, rule]) => deniedTo(lead, rule))
    .filter(({ places }) => placesCover(places, lead.places));
  return without(led, union(...stopping.map((denied) => denied.who)));
}

/** No ports at all are every port. */
function covers(outer: Traffic, inner: Traffic): boolean {
  return (
    portsCover(outer.ports, inner.ports) &&
    placesCover(outer.places, inner.places) &&
    contains(outer.who, inner.who)
  );
}

function portsCover(outer: readonly PortRange[], inner: readonly PortRange[]): boolean {
  return inner.every((b) =>
    outer.some((a) => a.protocol === b.protocol && a.first <= b.first && b.last <= a.last),
  );
}

function placesCover(outer: readonly string[], inner: readonly string[]): boolean {
  if (outer.length === 0) return true;
  return inner.length > 0 && inner.every((name) => outer.some((pattern) => isWithin(name, pattern)));
}

function meet(a: Traffic, b: Traffic): boolean {
  const ports =
    a.ports.length === 0 ||
    a.ports.some((x) =>
      b.ports.some((y) => x.protocol === y.protocol && x.first <= y.last && y.first <= x.last),
    );
  const places =
    a.places.length === 0 ||
    b.places.length === 0 ||
    a.places.some((x) => b.places.some((y) => isWithin(x, y) || isWithin(y, x)));
  return ports && places && overlap(a.who, b.who);
}

function warning(message: string): Found {
  return { severity: 'warning', message };
}

function contradiction(message: string): Found {
  return { severity: 'error', message };
}
