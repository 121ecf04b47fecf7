import { addressesOf } from './addresses.ts';
import { gateChanges } from './reach.ts';
import type { DesiredFirewall, Filter, Masquerade, NamedServers, PortForward, Rule } from './spec.ts';
import { portsText, whoText } from './texts.ts';
import { forwardChanges, ledChanges } from './through.ts';
import { forwardGate, inboundGate, openGate, outboundGate } from './traffic.ts';

/** Every rule of a firewall as a line for people, by its place in the document. */
function ruleLines(desired: DesiredFirewall, servers: NamedServers): ReadonlyMap<string, string> {
  const { management, inbound, outbound, forward, portForwards, masquerade, logDropped } = desired;
  const who: Who = (peers) => whoText(addressesOf(peers), servers);
  const jumps = management.jumps.map(({ address, port }) => `${address} tcp/${port}`);
  return new Map([
    ['management', `accept tcp/${management.port} from ${who(management.from)}`],
    ...(jumps.length > 0 ? [['management to', jumps.join(', ')] as const] : []),
    ...ruleEntries('inbound', inbound, 'from', who),
    ...filterEntries('outbound', outbound, who),
    ...(forward === undefined ? [] : filterEntries('forward', forward, who)),
    ...entriesOf('portForwards', portForwards, (one) => forwardText(one, who)),
    ...entriesOf('masquerade', masquerade, (one) => masqueradeText(one, who)),
    ...(logDropped ? [['logDropped', 'what no rule accepts is logged'] as const] : []),
  ]);
}

type Entry = readonly [string, string];
type Who = (peers: Rule['from']) => string;

function entriesOf<V>(section: string, all: Readonly<Record<string, V>>, text: (value: V) => string) {
  return Object.entries(all).map(([name, value]): Entry => [`${section} ${name}`, text(value)]);
}

function filterEntries(section: string, filter: Filter, who: Who): readonly Entry[] {
  return [[`${section} default`, filter.default], ...ruleEntries(section, filter.rules, 'to', who)];
}

function ruleEntries(section: string, rules: Readonly<Record<string, Rule>>, side: 'from' | 'to', who: Who) {
  return entriesOf(section, rules, (rule) => ruleText(rule, side, who));
}

/** `accept tcp/80, tcp/443 from everyone`; of the side that matters little only what is given is said. */
function ruleText(rule: Rule, side: 'from' | 'to', who: Who): string {
  const said = (name: 'from' | 'to') =>
    name === side || rule[name] !== null ? [`${name} ${who(rule[name])}`] : [];
  return [
    rule.action,
    rule.ports.length === 0 ? 'everything' : portsText(rule.ports),
    ...said('from'),
    ...said('to'),
    ...(rule.inInterfaces.length > 0 ? [`in by ${rule.inInterfaces.join(', ')}`] : []),
    ...(rule.outInterfaces.length > 0 ? [`out by ${rule.outInterfaces.join(', ')}`] : []),
    ...(rule.rateLimit === undefined
      ? []
      : [`at most ${rule.rateLimit.packets} a ${rule.rateLimit.per} from each`]),
    ...(rule.log ? ['logged'] : []),
  ].join(' ');
}

function forwardText({ ports, from, inInterfaces, address, port }: PortForward, who: Who): string {
  const by = inInterfaces.length > 0 ? ` in by ${inInterfaces.join(', ')}` : '';
  return `${portsText(ports)} from ${who(from)}${by} to ${address} port ${port}`;
}

function masqueradeText({ from, outInterfaces }: Masquerade, who: Who): string {
  return `${who(from)}${outInterfaces.length > 0 ? ` out by ${outInterfaces.join(', ')}` : ''}`;
}

/** `- old` and `+ new` rules; undefined: nothing of ours was there. */
export function ruleChanges(
  before: DesiredFirewall | undefined,
  after: DesiredFirewall,
  servers: NamedServers = {},
): readonly string[] {
  const was = before === undefined ? new Map<string, string>() : ruleLines(before, servers);
  const is = ruleLines(after, servers);
  const gone = [...was].filter(([name, text]) => is.get(name) !== text);
  const come = [...is].filter(([name, text]) => was.get(name) !== text);
  return [
    ...gone.map(([name, text]) => `- ${name}: ${text}`),
    ...come.map(([name, text]) => `+ ${name}: ${text}`),
  ];
}

/** Who gains and loses what. Before first contact nothing of ours was in the way. */
export function accessChanges(
  before: DesiredFirewall | undefined,
  after: DesiredFirewall,
  servers: NamedServers = {},
): readonly string[] {
  const was = {
    in: before === undefined ? openGate('in') : inboundGate(before),
    out: before === undefined ? openGate('out') : outboundGate(before),
    through: before === undefined ? openGate('through') : forwardGate(before),
  };
  return [
    ...gateChanges(was.in, inboundGate(after), servers),
    ...ledChanges(before, after, servers),
    ...forwardChanges(was.through, forwardGate(after), servers),
    ...gateChanges(was.out, outboundGate(after), servers),
  ];
}
