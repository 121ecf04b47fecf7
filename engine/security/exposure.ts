import { isIP } from 'node:net';
import { LISTENERS_MAX, type Listener } from '../facts/firewallAround.ts';
import {
  type Addresses,
  addressesOf,
  contains,
  EVERYBODY,
  isNobody,
  overlap,
} from '../kinds/firewall/addresses.ts';
import { type Admitted, admittedOn } from '../kinds/firewall/admitted.ts';
import { receiversOf } from '../kinds/firewall/flows.ts';
import type { DesiredFirewall } from '../kinds/firewall/spec.ts';
import { type Gate, isAccept, outboundGate, passing, WORK_MAX, workOf } from '../kinds/firewall/traffic.ts';
import type { SeenPort } from './host.ts';

/** TCP ports that are tried on one address of a host; of more, those that listen go first. */
export const PORTS_MAX = 2 * LISTENERS_MAX;

/**
 * What is worth trying from outside: what listens on the host, and what its firewall opens. Of a range that is opened, its first
 * port, for all the others that answer do listen. `unlisted`: how many more listen than the host told.
 */
export function portsToTry(
  listeners: readonly Listener[],
  desired: DesiredFirewall | undefined,
  unlisted = 0,
): { readonly ports: readonly number[]; readonly more: number } {
  const declared = desired === undefined ? [] : openedPorts(desired);
  const all = [...new Set([...listeners.map(({ port }) => port), ...declared])].filter((port) => port > 0);
  const ports = all.slice(0, PORTS_MAX);
  return { ports: [...ports].sort((a, b) => a - b), more: all.length - ports.length + unlisted };
}

function openedPorts({ management, inbound, portForwards }: DesiredFirewall): readonly number[] {
  const accepted = Object.values(inbound).filter(({ action }) => action === 'accept');
  const ranges = [...accepted, ...Object.values(portForwards)].flatMap(({ ports }) => ports);
  const first = ranges.flatMap((range) => (range.protocol === 'tcp' ? [range.first] : []));
  return [management.port, ...first];
}

/** Whether a firewall lets whoever tried in on a TCP port of an address. */
export type Verdict = Pick<SeenPort, 'declared' | 'notJudged'>;

/**
 * What a firewall says of whoever tried, on these TCP ports. By which interface somebody comes in is not known, so whom a rule lets in
 * over any counts. `senders`: the address that it was tried by, or all that it may have been; only those of the address's own family
 * count, of a host name all.
 */
export function portJudge(
  desired: DesiredFirewall,
  ports: readonly number[],
): (address: string, port: number, senders: readonly string[]) => Verdict {
  const admitted = admittedOn(desired, ports);
  return (address, port, senders) => {
    const who = admitted.get(port);
    if (who === undefined) return { notJudged: 'too-many-rules' };
    const family = isIP(address);
    const own = senders.filter((sender) => family === 0 || isIP(sender) === family);
    return own.length === 0 ? ofAnybody(who, family) : ofSenders(who, addressesOf(own));
  };
}

/** Of several, which of them it was is not known: what holds for all of them does. */
function ofSenders({ surely, perhaps }: Admitted, senders: Addresses): Verdict {
  if (contains(surely, senders)) return { declared: true };
  if (!overlap(perhaps, senders)) return { declared: false };
  return { notJudged: contains(perhaps, senders) ? 'unknown-way-out' : 'unknown-sender' };
}

/** Where it is not known who tried, only what holds for all is. */
function ofAnybody({ surely, perhaps }: Admitted, family: number): Verdict {
  const own = (set: Addresses) => ofFamily(set, family);
  if (isNobody(own(perhaps))) return { declared: false };
  return contains(surely, own(EVERYBODY)) ? { declared: true } : { notJudged: 'unknown-sender' };
}

/** 0: of both. */
function ofFamily(set: Addresses, family: number): Addresses {
  return { v4: family === 6 ? [] : set.v4, v6: family === 4 ? [] : set.v6 };
}

/**
 * Whether the firewall of a host lets a connection of its own out, by its rules; false also where they are too many to say. By which
 * interface it leaves is not known: an acceptance that names one is not counted on, and a denial is. A host name may be any address.
 */
export function wayOut(desired: DesiredFirewall | undefined): (place: SeenPlace) => boolean {
  if (desired === undefined) return () => true;
  const gate = surelyDenied(outboundGate(desired));
  const isTooMuch = workOf(gate) > WORK_MAX;
  return ({ address, port }) => {
    if (isTooMuch) return false;
    const cell = { protocol: 'tcp', first: port, last: port, in: undefined, out: undefined } as const;
    const to = isIP(address) === 0 ? EVERYBODY : addressesOf([address]);
    return contains(receiversOf(passing(gate, cell)), to);
  };
}

/** As if every denial held on every interface. */
function surelyDenied(gate: Gate): Gate {
  return {
    ...gate,
    rules: gate.rules.map((rule) => (isAccept(rule) ? rule : { ...rule, outInterfaces: [] })),
  };
}

type SeenPlace = Pick<SeenPort, 'address' | 'port'>;
