import { isIP, isIPv4 } from 'node:net';
import { FAMILIES, matches } from './matches.ts';
import type { DesiredFirewall, Filter, PortForward, RateLimit, Rule, Rules } from './spec.ts';

/** Version of the note that stands in the file for the next plan (`savedFirewall` in saved.ts). */
export const SAVED = '# doaas firewall 1 ';

/**
 * The ruleset file: nft(8) commands that replace our table, and no other, in one transaction. The first line makes sure
 * that there is one to delete.
 */
export function rulesetText(desired: DesiredFirewall): string {
  const chains = [
    ...limitSets('in', desired.inbound),
    ...limitSets('fwd', desired.forward?.rules ?? {}),
    ESSENTIAL,
    inputChain(desired),
    ...(hasOutput(desired.outbound) ? [outputChain(desired)] : []),
    ...(desired.forward === undefined ? [] : [forwardChain(desired.forward, desired.portForwards)]),
    ...natChains(desired),
  ];
  return [
    '#!/usr/sbin/nft -f',
    '# Written by DOaaS: it notices changes made here or with nft, and puts them back.',
    `${SAVED}${JSON.stringify(desired)}`,
    'table inet doaas',
    'delete table inet doaas',
    'table inet doaas {',
    chains.join('\n'),
    '}',
    '',
  ].join('\n');
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  return [`\tchain ${name} {`, ...(hook === '' ? [] : [hook]), ...rules]
    .map(indented)
    .concat('\t}')
    .join('\n');
}

function indented(line: string): string {
  return line.startsWith('\t') ? line : `\t\t${line}`;
}

/**
 * ICMP and DHCP without which a host loses its network: errors, path MTU and echo; neighbours and routers, which no router
 * forwards (hop limit 255), and multicast membership (RFC 4890, 4.4.1); answers to our own DHCP.
 */
const ESSENTIAL = chain('essential', '', [
  'icmp type { destination-unreachable, echo-request, time-exceeded, parameter-problem } accept',
  'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, echo-reply } accept',
  'ip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, ind-neighbor-solicit, ind-neighbor-advert, 148, 149 } accept',
  'ip6 saddr { ::, fe80::/10 } icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report, 151, 152, 153 } accept',
  'udp sport 67 udp dport 68 accept',
  'ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept',
]);

/** Management comes first, so that a connection of the engine lives even where the kernel has forgotten its state. */
function inputChain({ management, inbound, logDropped }: DesiredFirewall): string {
  const own: Rule = {
    ...OPEN,
    ports: [{ protocol: 'tcp', first: management.port, last: management.port }],
    from: management.from,
  };
  return chain('input', 'type filter hook input priority filter; policy drop;', [
    'iifname "lo" accept',
    ...matches(own).map((match) => `${match} counter accept comment "management"`),
    'ct state established,related accept',
    'ct state invalid counter drop comment "invalid"',
    'jump essential',
    ...filterRules('in', inbound),
    ...(logDropped ? [logRule('dropped')] : []),
    'counter comment "no rule accepts it"',
  ]);
}

const OPEN: Rule = {
  action: 'accept',
  ports: [],
  from: null,
  to: null,
  inInterfaces: [],
  outInterfaces: [],
  log: false,
};

function hasOutput(outbound: Filter): boolean {
  return outbound.default === 'drop' || Object.keys(outbound.rules).length > 0;
}

/** Answers of the SSH server, and the ways on to servers that are reached through this one, are never in question. */
function outputChain({ management, outbound }: DesiredFirewall): string {
  return chain('output', `type filter hook output priority filter; policy ${outbound.default};`, [
    'oifname "lo" accept',
    `tcp sport ${management.port} accept comment "management"`,
    ...management.jumps.map(jumpRule),
    'ct state established,related accept',
    'meta l4proto { icmp, ipv6-icmp } accept',
    'udp sport 68 udp dport 67 accept',
    'udp sport 546 udp dport 547 accept',
    ...filterRules('out', outbound.rules),
    'counter comment "no rule names it"',
  ]);
}

/** A host name stands for any address: what it means now is the resolver's to say. */
function jumpRule({ address, port }: DesiredFirewall['management']['jumps'][number]): string {
  const family = isIPv4(address) ? 'ip' : 'ip6';
  const to = isIP(address) === 0 ? '' : `${family} daddr ${address} `;
  return `${to}tcp dport ${port} accept comment "management"`;
}

function forwardChain(forward: Filter, portForwards: DesiredFirewall['portForwards']): string {
  return chain('forward', `type filter hook forward priority filter; policy ${forward.default};`, [
    'ct state established,related accept',
    'ct state invalid counter drop comment "invalid"',
    'meta l4proto ipv6-icmp icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept',
    ...denials(forward.rules),
    ...Object.entries(portForwards).flatMap(([name, one]) =>
      targetMatches(one).map((match) => `ct status dnat ${match} accept comment "${name}"`),
    ),
    ...acceptances('fwd', forward.rules),
    'counter comment "no rule names it"',
  ]);
}

function targetMatches({ ports, address, port }: PortForward): readonly string[] {
  const family = isIPv4(address) ? 'ip' : 'ip6';
  return ports.map(({ protocol }) => `${family} daddr ${address} ${protocol} dport ${port}`);
}

/** What is denied first, then limits, then what is accepted: so the order of rules means nothing. */
function filterRules(prefix: string, rules: Rules): readonly string[] {
  return [...denials(rules), ...acceptances(prefix, rules)];
}

function denials(rules: Rules): readonly string[] {
  const denied = byName(rules).filter(([, { action }]) => action !== 'accept');
  return denied.flatMap(([name, rule]) => verdicts(name, rule, verdictOf(rule)));
}

function acceptances(prefix: string, rules: Rules): readonly string[] {
  const accepted = byName(rules).filter(([, { action }]) => action === 'accept');
  return [
    ...accepted.flatMap(([name, rule]) => limitRules(prefix, name, rule)),
    ...accepted.flatMap(([name, rule]) => verdicts(name, rule, 'accept')),
  ];
}

function byName(rules: Rules): readonly (readonly [string, Rule])[] {
  return Object.entries(rules).sort(([a], [b]) => (a < b ? -1 : 1));
}

function verdictOf({ action }: Rule): string {
  return action === 'reject' ? 'reject with icmpx admin-prohibited' : action;
}

function verdicts(name: string, rule: Rule, verdict: string): readonly string[] {
  return matches(rule).flatMap((match) => [
    ...(rule.log ? [`${match} ${logRule(name)}`.trimStart()] : []),
    `${match} counter ${verdict} comment "${name}"`.trimStart(),
  ]);
}

function logRule(name: string): string {
  return `limit rate 10/minute burst 5 packets log prefix "doaas ${name}: "`;
}

/** Senders that a limit remembers at once; a full set forgets nobody and limits no newcomer. */
const SENDERS_MAX = 65_536;

/** One set of senders a family and limited rule; a sender is forgotten after two of its periods. */
function limitSets(prefix: string, rules: Rules): readonly string[] {
  return Object.entries(rules).flatMap(([name, { rateLimit }]) => {
    if (rateLimit === undefined) return [];
    const timeout = { second: '10s', minute: '2m', hour: '2h' }[rateLimit.per];
    return FAMILIES.map(({ digit, type }) =>
      [
        `\tset ${prefix}-${name}-${digit} {`,
        `\t\ttype ${type}; size ${SENDERS_MAX}; flags dynamic,timeout; timeout ${timeout};`,
        '\t}',
      ].join('\n'),
    );
  });
}

function limitRules(prefix: string, name: string, rule: Rule): readonly string[] {
  const { rateLimit } = rule;
  if (rateLimit === undefined) return [];
  return FAMILIES.flatMap(({ digit, ip, name: family }) =>
    matches(rule, digit).map(
      (match) =>
        `ct state new meta nfproto ${family} ${match} update @${prefix}-${name}-${digit} { ${ip} saddr ${overText(rateLimit)} } counter drop comment "${name} over its limit"`,
    ),
  );
}

function overText({ packets, per }: RateLimit): string {
  return `limit rate over ${packets}/${per} burst ${Math.max(5, packets)} packets`;
}

/** Only packets to the host itself are led elsewhere, never those that it merely forwards. */
function natChains({ portForwards, masquerade }: DesiredFirewall): readonly string[] {
  const leads = Object.entries(portForwards).flatMap(([name, one]) => dnatRules(name, one));
  const covers = Object.entries(masquerade).flatMap(([name, { from, outInterfaces }]) =>
    matches({ ...OPEN, from, outInterfaces }).map((match) => `${match} counter masquerade comment "${name}"`),
  );
  return [
    ...(leads.length === 0
      ? []
      : [chain('prerouting', 'type nat hook prerouting priority dstnat; policy accept;', leads)]),
    ...(covers.length === 0
      ? []
      : [chain('postrouting', 'type nat hook postrouting priority srcnat; policy accept;', covers)]),
  ];
}

function dnatRules(
  name: string,
  { ports, from, inInterfaces, address, port }: PortForward,
): readonly string[] {
  const [ip, family, to] = isIPv4(address)
    ? (['ip', 'ipv4', address] as const)
    : (['ip6', 'ipv6', `[${address}]`] as const);
  return matches({ ...OPEN, ports, from, inInterfaces }, ip === 'ip' ? 4 : 6).map(
    (match) =>
      `meta nfproto ${family} fib daddr type local ${match} counter dnat ${ip} to ${to}:${port} comment "${name}"`,
  );
}
