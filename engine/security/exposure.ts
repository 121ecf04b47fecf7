import { isIP } from 'node:net';
import { LISTENERS_MAX, type Listener } from '../facts/firewall.ts';
import { addressesOf, isNobody, overlap } from '../kinds/firewall/addresses.ts';
import { cellsOf } from '../kinds/firewall/cells.ts';
import { sendersOf } from '../kinds/firewall/flows.ts';
import type { DesiredFirewall } from '../kinds/firewall/spec.ts';
import { cutsOfGates, inboundGate, passing, WORK_MAX, workOf } from '../kinds/firewall/traffic.ts';

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

/**
 * Whether a firewall lets one of these senders in on a TCP port of an address, over any interface. Only senders of the address's
 * own family count; where none is known, it is enough that somebody may come in.
 */
export function declares(
  desired: DesiredFirewall,
  senders: readonly string[],
): (address: string, port: number) => boolean {
  const gate = inboundGate(desired);
  const forwarded = Object.values(desired.portForwards).flatMap(({ ports }) => ports);
  // whoever declares that much is taken at their word
  if (workOf(gate) > WORK_MAX) return () => true;
  const cells = cellsOf(cutsOfGates(gate))
    .filter(({ protocol }) => protocol === 'tcp')
    .map(({ first, last, ...cell }) => ({
      first,
      last,
      who: sendersOf(passing(gate, { first, last, ...cell })),
    }));
  return (address, port) => {
    const own = senders.filter((sender) => isIP(sender) === isIP(address));
    return (
      forwarded.some((range) => range.protocol === 'tcp' && range.first <= port && port <= range.last) ||
      cells.some(
        ({ first, last, who }) =>
          first <= port &&
          port <= last &&
          (own.length === 0 ? !isNobody(who) : overlap(who, addressesOf(own))),
      )
    );
  };
}
