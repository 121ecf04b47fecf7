import type { PortRange, Rule } from './spec.ts';

/** As nft(8) says them. */
export const FAMILIES = [
  { digit: 4, type: 'ipv4_addr', ip: 'ip', name: 'ipv4' },
  { digit: 6, type: 'ipv6_addr', ip: 'ip6', name: 'ipv6' },
] as const;

/** The expressions of a rule, one for each family and protocol that it is about; none where nobody is meant. */
export function matches(rule: Rule, only?: 4 | 6): readonly string[] {
  const peers = FAMILIES.filter(({ digit }) => only === undefined || digit === only).flatMap(({ ip }) =>
    peerMatches(rule, ip),
  );
  const places = [
    ...interfaceMatch('iifname', rule.inInterfaces),
    ...interfaceMatch('oifname', rule.outInterfaces),
  ];
  return [...new Set(peers)].flatMap((peer) =>
    portMatches(rule.ports).map((ports) => [...places, peer, ports].filter((part) => part !== '').join(' ')),
  );
}

function peerMatches({ from, to }: Rule, ip: 'ip' | 'ip6'): readonly string[] {
  const own = (blocks: readonly string[]) => blocks.filter((block) => block.includes(':') === (ip === 'ip6'));
  const sides = [
    ...(from === null ? [] : [{ side: 'saddr', blocks: own(from) }]),
    ...(to === null ? [] : [{ side: 'daddr', blocks: own(to) }]),
  ];
  if (sides.some(({ blocks }) => blocks.length === 0)) return [];
  return [sides.map(({ side, blocks }) => `${ip} ${side} ${setText(blocks)}`).join(' ')];
}

function interfaceMatch(name: 'iifname' | 'oifname', interfaces: readonly string[]): readonly string[] {
  return interfaces.length === 0 ? [] : [`${name} ${setText(interfaces.map((one) => `"${one}"`))}`];
}

/** Protocols without ports by their number: Debian 12's nft does not know all names. */
const NUMBERS: Readonly<Record<string, number>> = {
  esp: 50,
  ah: 51,
  gre: 47,
  vrrp: 112,
  sctp: 132,
  tcp: 6,
  udp: 17,
};

function portMatches(ports: readonly PortRange[]): readonly string[] {
  if (ports.length === 0) return [''];
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
  return protocols.map((protocol) => {
    const own = merged(ports.filter((range) => range.protocol === protocol));
    const whole = own.some(({ first, last }) => first === 0 && last === 65_535);
    return whole
      ? `meta l4proto ${NUMBERS[protocol] ?? protocol}`
      : `${protocol} dport ${setText(own.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)))}`;
  });
}

/** nft refuses ranges that overlap in a set. */
function merged(ranges: readonly PortRange[]): readonly PortRange[] {
  const done: PortRange[] = [];
  for (const next of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = done.at(-1);
    if (last === undefined || next.first > last.last + 1) done.push(next);
    else done[done.length - 1] = { ...last, last: Math.max(last.last, next.last) };
  }
  return done;
}

function setText(members: readonly string[]): string {
  return members.length === 1 ? (members[0] ?? '') : `{ ${members.join(', ')} }`;
}
