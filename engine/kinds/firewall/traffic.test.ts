import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressesOf, overlap } from './addresses.ts';
import { type Cuts, cellsOf } from './cells.ts';
import type { Peers, Protocol, Rule } from './spec.ts';
import { anyFirewall } from './testing/arbitrary.ts';
import { cutsOfGates, forwardGate, type Gate, inboundGate, outboundGate, passing } from './traffic.ts';

interface Packet {
  readonly protocol: Protocol;
  readonly port: number;
  readonly in: string;
  readonly out: string;
  readonly from: string;
  readonly to: string;
}

const device = fc.constantFrom('eth0', 'eth1', 'br-lan', 'lo');
const packets = fc.array(
  fc.record({
    protocol: fc.constantFrom('tcp', 'udp', 'gre'),
    port: fc.integer({ min: 0, max: 65_535 }),
    in: device,
    out: device,
    from: fc.constantFrom('10.1.2.3', '10.77.0.1', '192.0.2.1'),
    to: fc.constantFrom('10.1.2.3', '10.77.0.1', '192.0.2.1'),
  }),
  { minLength: 20, maxLength: 20 },
);

/** One packet against one rule, as a kernel would look. */
function isAbout(rule: Rule, packet: Packet): boolean {
  const side = (peers: Peers, address: string) => overlap(addressesOf(peers), addressesOf([address]));
  const on = (names: readonly string[], name: string) => names.length === 0 || names.includes(name);
  return (
    on(rule.inInterfaces, packet.in) &&
    on(rule.outInterfaces, packet.out) &&
    side(rule.from, packet.from) &&
    side(rule.to, packet.to) &&
    (rule.ports.length === 0 ||
      rule.ports.some(
        (r) => r.protocol === packet.protocol && r.first <= packet.port && packet.port <= r.last,
      ))
  );
}

function passes(gate: Gate, packet: Packet): boolean {
  const about = (rules: readonly Rule[]) => rules.filter((rule) => isAbout(rule, packet));
  const own = about(gate.rules);
  const accepted = gate.default === 'accept' || own.some(({ action }) => action === 'accept');
  const undenied = own.every(({ action }) => action === 'accept');
  return about(gate.taken).length === 0 && ((accepted && undenied) || about(gate.always).length > 0);
}

/** The same by the cell that the packet falls into. */
function passesInCell(gate: Gate, cuts: Cuts, packet: Packet): boolean {
  const known = new Set(cuts.ports.map(({ protocol }) => protocol));
  const protocol = known.has(packet.protocol) ? packet.protocol : 'other';
  const name = (all: readonly (string | undefined)[], one: string) => (all.includes(one) ? one : undefined);
  const ports = cuts.ports.filter(
    (one) => one.protocol === protocol && one.first <= packet.port && packet.port <= one.last,
  );
  const [cell, ...more] = cellsOf({
    ports,
    ins: [name(cuts.ins, packet.in)],
    outs: [name(cuts.outs, packet.out)],
  });
  if (cell === undefined || more.length > 0) throw new Error('a packet falls into one cell');
  const [from, to] = [addressesOf([packet.from]), addressesOf([packet.to])];
  return passing(gate, cell).some((flow) => overlap(flow.from, from) && overlap(flow.to, to));
}

test('cells say of every packet what the rules say of it', () => {
  fc.assert(
    fc.property(anyFirewall, packets, (firewall, all) => {
      for (const gate of [inboundGate(firewall), outboundGate(firewall), forwardGate(firewall)]) {
        const cuts = cutsOfGates(gate);
        for (const packet of all)
          expect(passesInCell(gate, cuts, packet), JSON.stringify(packet)).toBe(passes(gate, packet));
      }
    }),
  );
});
