import { isIP } from 'node:net';
import { LISTENERS_MAX, type Listener } from '../facts/firewall.ts';
import {
  type Addresses,
  addressesOf,
  contains,
  EVERYBODY,
  isNobody,
  overlap,
} from '../kinds/firewall/addresses.ts';
import { type Admitted, admittedOn } from '../kinds/firewall/admitted.ts';
import type { DesiredFirewall } from '../kinds/firewall/spec.ts';
import type { SeenPort } from './host.ts';

/** TCP ports that are tried on one address of a host; of more, those that listen go first. */
export const PORTS_MAX = 2 * LISTENERS_MAX;

/**
 * What is worth trying from outside: what listens on the host, and what its firewall opens. Of a range that is opened, its first
 * port, for all the others that answer do listen.
 */
export function portsToTry(
  listeners: readonly Listener[],
  desired: DesiredFirewall | undefined,
): { readonly ports: readonly number[]; readonly more: number } {
  const declared = desired === undefined ? [] : openedPorts(desired);
  const all = [...new Set([...listeners.map(({ port }) => port), ...declared])].filter((port) => port > 0);
  const ports = all.slice(0, PORTS_MAX);
  return { ports: [...ports].sort((a, b) => a - b), more: all.length - ports.length };
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
 * What a firewall says of one of these senders, on these TCP ports. By which interface somebody comes in is not known, so whom a rule
 * lets in over any counts. Only senders of the address's own family do; of a host name all.
 */
export function portJudge(
  desired: DesiredFirewall,
  senders: readonly string[],
  ports: readonly number[],
): (address: string, port: number) => Verdict {
  const admitted = admittedOn(desired, ports);
  return (address, port) => {
    const who = admitted.get(port);
    if (who === undefined) return { notJudged: 'too-many-rules' };
    const family = isIP(address);
    const own = senders.filter((sender) => family === 0 || isIP(sender) === family);
    return own.length === 0 ? ofAnybody(who, family) : ofSenders(who, addressesOf(own));
  };
}

function ofSenders({ surely, perhaps }: Admitted, senders: Addresses): Verdict {
  if (overlap(surely, senders)) return { declared: true };
  return overlap(perhaps, senders) ? { notJudged: 'unknown-way-out' } : { declared: false };
}

/** Where it is not known who tried, only what holds for all is. */
function ofAnybody({ surely, perhaps }: Admitted, family: number): Verdict {
  const own = (set: Addresses): Addresses => ({
    v4: family === 6 ? [] : set.v4,
    v6: family === 4 ? [] : set.v6,
  });
  if (isNobody(own(perhaps))) return { declared: false };
  return contains(surely, own(EVERYBODY)) ? { declared: true } : { notJudged: 'unknown-sender' };
}
