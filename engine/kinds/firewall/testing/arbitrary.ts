import fc from 'fast-check';
import { addressesOf, blocksOf } from '../addresses.ts';
import type { DesiredFirewall, Peers, PortRange, Rule } from '../spec.ts';

const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/);
const block = fc.oneof(
  fc.constantFrom('0.0.0.0/0', '::/0', '10.0.0.0/8', '10.1.0.0/16', '2001:db8::/32', 'fe80::1'),
  fc.ipV4(),
  fc.ipV6().map((text) => (text.includes('.') ? '2001:db8::1' : text)),
);
/** As `readPeers` gives them: without overlaps. */
const blocks: fc.Arbitrary<readonly string[]> = fc
  .array(block, { minLength: 1, maxLength: 6 })
  .map((list) => blocksOf(addressesOf(list)));
const peers: fc.Arbitrary<Peers> = fc.option(blocks, { freq: 3 });
const port = fc.integer({ min: 1, max: 65_535 });

const range: fc.Arbitrary<PortRange> = fc.oneof(
  fc
    .tuple(fc.constantFrom('tcp', 'udp', 'sctp'), port, port)
    .map(([protocol, a, b]) => ({ protocol, first: Math.min(a, b), last: Math.max(a, b) })),
  fc
    .constantFrom('tcp', 'udp', 'esp', 'ah', 'gre', 'vrrp')
    .map((protocol) => ({ protocol, first: 0, last: 65_535 })),
);
const interfaces = fc.uniqueArray(fc.constantFrom('eth0', 'eth1', 'wg*', 'br-lan', 'eth0.100'), {
  maxLength: 3,
});

/** One that has neither side where `sides` does not have it. */
function rule(sides: readonly ('from' | 'to')[]): fc.Arbitrary<Rule> {
  const side = (one: 'from' | 'to') => (sides.includes(one) ? peers : fc.constant(null));
  return fc
    .record({
      action: fc.constantFrom('accept', 'drop', 'reject'),
      ports: fc.array(range, { maxLength: 4 }),
      from: side('from'),
      to: side('to'),
      inInterfaces: sides.includes('from') ? interfaces : fc.constant([]),
      outInterfaces: sides.includes('to') ? interfaces : fc.constant([]),
      log: fc.boolean(),
    })
    .chain((plain) =>
      plain.action === 'accept' && sides.includes('from')
        ? fc
            .option(
              fc.record({
                packets: fc.integer({ min: 1, max: 1000 }),
                per: fc.constantFrom('second', 'minute', 'hour'),
              }),
              { nil: undefined },
            )
            .map((rateLimit) => (rateLimit === undefined ? plain : { ...plain, rateLimit }))
        : fc.constant(plain),
    );
}

const rules = (sides: readonly ('from' | 'to')[]) =>
  fc.dictionary(name, rule(sides), { maxKeys: 4, noNullPrototype: true });
const filter = (sides: readonly ('from' | 'to')[]) =>
  fc.record({ default: fc.constantFrom('accept', 'drop'), rules: rules(sides) });

/** Any firewall that a document can ask for. */
export const anyFirewall: fc.Arbitrary<DesiredFirewall> = fc.record(
  {
    management: fc.record({
      port,
      from: peers,
      jumps: fc.array(
        fc.record({ address: fc.constantFrom('10.0.0.7', 'fd00::7', 'db.internal', '1.2.3'), port }),
        {
          maxLength: 2,
        },
      ),
    }),
    inbound: rules(['from']),
    outbound: filter(['to']),
    forward: filter(['from', 'to']),
    portForwards: fc.dictionary(
      name,
      fc.record({
        ports: fc
          .tuple(port, fc.constantFrom('tcp', 'udp'))
          .map(([one, protocol]) => [{ protocol, first: one, last: one } as const]),
        from: peers,
        inInterfaces: interfaces,
        address: fc.constantFrom('10.0.0.9', 'fd00::9'),
        port,
      }),
      { maxKeys: 2, noNullPrototype: true },
    ),
    masquerade: fc.dictionary(name, fc.record({ from: blocks, outInterfaces: interfaces }), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    logDropped: fc.boolean(),
  },
  { requiredKeys: ['management', 'inbound', 'outbound', 'portForwards', 'masquerade', 'logDropped'] },
);
