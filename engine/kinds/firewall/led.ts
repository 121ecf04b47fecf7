import { isIPv4 } from 'node:net';
import { addressesOf, contains } from './addresses.ts';
import { portsCover } from './cells.ts';
import type { PortForward, PortRange, Rule } from './spec.ts';

const ACCEPT = { action: 'accept', outInterfaces: [], log: false } as const;

/** What a port forward takes from the host itself, as a rule: only senders of its own family can be led to an address. */
export function takenBy(forward: PortForward): Rule {
  const { ports, inInterfaces } = forward;
  return { ...ACCEPT, ports, from: sendersOf(forward), to: null, inInterfaces };
}

function sendersOf({ from, address }: PortForward): readonly string[] {
  const six = !isIPv4(address);
  return from === null ? [six ? '::/0' : '0.0.0.0/0'] : from.filter((block) => block.includes(':') === six);
}

/** What it leads on, as the rules of `forward` see it. */
export function ledOn(forward: PortForward): Rule {
  return {
    ...ACCEPT,
    ports: portsThere(forward),
    from: sendersOf(forward),
    to: [forward.address],
    inInterfaces: forward.inInterfaces,
  };
}

function portsThere({ ports, port }: PortForward): readonly PortRange[] {
  return ports.slice(0, 1).map(({ protocol }) => ({ protocol, first: port, last: port }));
}

/**
 * A denial of `forward` as a denial of what comes in to be led on; undefined where it has other ports or addresses in mind. One
 * that names where packets leave may hold or not: that is the routing's to say.
 */
export function denialOf(forward: PortForward, rule: Rule): Rule | undefined {
  const denied =
    portsCover(rule.ports, portsThere(forward)) &&
    contains(addressesOf(rule.to), addressesOf([forward.address]));
  return denied ? { ...rule, ports: forward.ports, to: null } : undefined;
}

/** `10.0.0.9:80`, `[fd00::9]:80` */
export function targetOf({ address, port }: PortForward): string {
  return isIPv4(address) ? `${address}:${port}` : `[${address}]:${port}`;
}
