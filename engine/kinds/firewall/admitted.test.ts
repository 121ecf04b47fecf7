import { isIP, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressesOf, NOBODY, overlap } from './addresses.ts';
import { admittedOn } from './admitted.ts';
import type { DesiredFirewall, Peers, PortForward, PortRange, Rule } from './spec.ts';
import { anyFirewall } from './testing/arbitrary.ts';

interface Packet {
  readonly from: string;
  readonly on: string;
  readonly port: number;
}

/** As arrays that stay the same: sets of addresses are known by these. */
const alone = new Map<string, readonly string[]>();
const only = (address: string) => {
  const one = alone.get(address) ?? [address];
  alone.set(address, one);
  return addressesOf(one);
};
const isFrom = (peers: Peers, address: string) =>
  peers === null || overlap(addressesOf(peers), only(address));
const isOn = (patterns: readonly string[], on: string) =>
  patterns.length === 0 ||
  patterns.some((one) => (one.endsWith('*') ? on.startsWith(one.slice(0, -1)) : on === one));
const hasPort = (ranges: readonly PortRange[], port: number) =>
  ranges.some(({ protocol, first, last }) => protocol === 'tcp' && first <= port && port <= last);
const isAbout = ({ ports, from, inInterfaces }: Pick<Rule, 'ports' | 'from' | 'inInterfaces'>, of: Packet) =>
  (ports.length === 0 || hasPort(ports, of.port)) && isFrom(from, of.from) && isOn(inInterfaces, of.on);

/** What becomes of one packet, as the chains of the ruleset have it. */
function fateOf({ management, inbound, portForwards, forward }: DesiredFirewall, packet: Packet) {
  const lead = Object.values(portForwards).find(
    (one) => isIPv4(one.address) === isIPv4(packet.from) && isAbout(one, packet),
  );
  if (lead !== undefined) return fateThrough(lead, Object.values(forward?.rules ?? {}), packet);
  const rules = Object.values(inbound).filter((rule) => isAbout(rule, packet));
  const manages = packet.port === management.port && isFrom(management.from, packet.from);
  const accepted = rules.length > 0 && rules.every(({ action }) => action === 'accept');
  return manages || accepted ? 'in' : 'out';
}

function fateThrough({ address, port }: PortForward, rules: readonly Rule[], packet: Packet) {
  const denials = rules.filter(
    (rule) => rule.action !== 'accept' && isAbout(rule, { ...packet, port }) && isFrom(rule.to, address),
  );
  if (denials.some(({ outInterfaces }) => outInterfaces.length === 0)) return 'out';
  return denials.length === 0 ? 'in' : 'either';
}

const INTERFACES = ['eth0', 'eth1', 'wg0', 'br-lan', 'eth0.100', 'other0'];

/** Some where rules begin, and some besides. */
function placesOf({ management, inbound, portForwards, forward }: DesiredFirewall) {
  const rules = [...Object.values(inbound), ...Object.values(portForwards)];
  const peers = [...rules, ...Object.values(forward?.rules ?? {}), management].flatMap(
    ({ from }) => from ?? [],
  );
  const blocks = peers.map((block) => block.split('/')[0] ?? '').filter((address) => isIP(address) !== 0);
  const borders = rules.flatMap(({ ports }) => ports.flatMap(({ first, last }) => [first, last]));
  return {
    senders: [...new Set(['10.1.2.3', '192.0.2.1', '2001:db8::5', '2a00::1', ...blocks])].slice(0, 10),
    ports: [...new Set([management.port, 22, 50_000, ...borders])].slice(0, 8),
  };
}

/** Rules of `forward` seldom are about just what a port forward leads on, unless they are about all. */
const anyLeading = anyFirewall.map(({ forward, ...rest }): DesiredFirewall => {
  const rules = Object.entries(forward?.rules ?? {}).map(
    ([name, rule]) => [name, { ...rule, ports: [], to: null }] as const,
  );
  return { ...rest, forward: { default: 'drop', rules: Object.fromEntries(rules) } };
});

it('whom a firewall admits is whose packets get through, on some interface', () => {
  fc.assert(
    fc.property(fc.oneof(anyFirewall, anyLeading), (firewall) => {
      const { senders, ports } = placesOf(firewall);
      const admitted = admittedOn(firewall, ports);
      const seen = ports.flatMap((port) =>
        senders.map((from) => {
          const fates = INTERFACES.map((on) => fateOf(firewall, { from, on, port }));
          const surely = fates.includes('in');
          return { port, from, surely, perhaps: surely || fates.includes('either') };
        }),
      );
      const told = seen.map(({ port, from }) => {
        const { surely = NOBODY, perhaps = NOBODY } = admitted.get(port) ?? {};
        return { port, from, surely: overlap(surely, only(from)), perhaps: overlap(perhaps, only(from)) };
      });
      expect(told).toEqual(seen);
    }),
    { numRuns: 100 },
  );
});
