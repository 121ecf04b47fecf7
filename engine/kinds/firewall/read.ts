import { isIPv4, isIPv6 } from 'node:net';
import type { ServerDocument } from '../../spec/documents.ts';
import type { SpecError } from '../../spec/manifest.ts';
import { didYouMean } from '../../spec/nearest.ts';
import { optional } from '../../spec/optional.ts';
import { childPointer } from '../../spec/pointer.ts';
import type {
  ForwardRuleSource,
  InboundRuleSource,
  MasqueradeSource,
  OutboundRuleSource,
  PortForwardSource,
  PortSource,
} from '../../spec/types.generated.ts';
import { type FirewallDocument, failed, type Reader, readPeers } from './peers.ts';
import { SERVICE_NAMES, servicePorts } from './services.ts';
import type {
  DesiredFirewall,
  Masquerade,
  NamedServers,
  Peers,
  PortForward,
  PortRange,
  Protocol,
  RateLimit,
  Rule,
  Rules,
} from './spec.ts';

/** A document as it is on all its hosts; only the ways of the engine itself differ from host to host. */
export interface ReadFirewall extends Omit<DesiredFirewall, 'management'> {
  readonly management: { readonly port?: number; readonly from: Peers };
}

export interface Reading {
  readonly firewall: ReadFirewall;
  readonly errors: readonly SpecError[];
  readonly servers: NamedServers;
}

/** `complete`: no Server document has mistakes. */
export function readFirewall(
  document: FirewallDocument,
  servers: ReadonlyMap<string, ServerDocument>,
  complete: boolean,
): Reading {
  const errors: SpecError[] = [];
  const meant = new Map<string, readonly string[]>();
  const reader: Reader = { document, servers, complete, errors, meant, sets: new Map() };
  const withSets: Reader = { ...reader, sets: readSets(reader) };
  const firewall = readSpec(withSets);
  return { firewall, errors, servers: Object.fromEntries([...meant].sort()) };
}

/** A set holds no other sets. */
function readSets(reader: Reader): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.entries(reader.document.spec.sets ?? {}).map(([name, peers]) => {
      const pointer = childPointer('/spec/sets', name);
      return [name, readPeers(reader, peers, pointer) ?? []];
    }),
  );
}

function readSpec(reader: Reader): ReadFirewall {
  const { management = {}, inbound, outbound = {}, forward, logDropped = false } = reader.document.spec;
  return {
    management: {
      ...optional('port', management.port),
      from: readPeers(reader, management.from, '/spec/management/from'),
    },
    inbound: readRules(reader, inbound, '/spec/inbound'),
    outbound: {
      default: outbound.default ?? 'accept',
      rules: readRules(reader, outbound.rules, '/spec/outbound/rules', 'out'),
    },
    ...(forward === undefined
      ? {}
      : {
          forward: {
            default: forward.default ?? 'accept',
            rules: readRules(reader, forward.rules, '/spec/forward/rules'),
          },
        }),
    portForwards: mapped(reader.document.spec.portForwards, '/spec/portForwards', (source, pointer) =>
      portForward(reader, source, pointer),
    ),
    masquerade: mapped(reader.document.spec.masquerade, '/spec/masquerade', (source, pointer) =>
      masquerade(reader, source, pointer),
    ),
    logDropped,
  };
}

function mapped<Source, Value>(
  sources: Readonly<Record<string, Source>> | undefined,
  pointer: string,
  read: (source: Source, pointer: string) => Value,
): Readonly<Record<string, Value>> {
  const entries = Object.entries(sources ?? {});
  return Object.fromEntries(
    entries.map(([name, source]) => [name, read(source, childPointer(pointer, name))]),
  );
}

type RuleSource = InboundRuleSource & OutboundRuleSource & ForwardRuleSource;

function readRules(
  reader: Reader,
  sources: Readonly<Record<string, RuleSource>> | undefined,
  pointer: string,
  zone: 'in' | 'out' = 'in',
): Rules {
  return mapped(sources, pointer, (source, at) => readRule(reader, source, at, zone));
}

function readRule(reader: Reader, source: RuleSource, pointer: string, zone: 'in' | 'out'): Rule {
  const interfaces = interfacesOf(reader, source.zone, `${pointer}/zone`);
  const beyond = interfacesOf(reader, source.toZone, `${pointer}/toZone`);
  if (source.rateLimit !== undefined && (source.action ?? 'accept') !== 'accept')
    failed(reader, 'wrong-value', `${pointer}/rateLimit`, 'Only what is accepted can have a rate limit.');
  return {
    action: source.action ?? 'accept',
    ports: readPorts(reader, source, pointer),
    from: readPeers(reader, source.from, `${pointer}/from`),
    to: readPeers(reader, source.to, `${pointer}/to`),
    inInterfaces: zone === 'in' ? interfaces : [],
    outInterfaces: zone === 'in' ? beyond : interfaces,
    ...(source.rateLimit === undefined ? {} : { rateLimit: rateLimit(source.rateLimit) }),
    log: source.log ?? false,
  };
}

function rateLimit(text: string): RateLimit {
  const [packets, per] = text.split('/');
  return { packets: Number(packets), per: per === 'minute' || per === 'hour' ? per : 'second' };
}

function interfacesOf(reader: Reader, zone: string | undefined, pointer: string): readonly string[] {
  if (zone === undefined) return [];
  const zones = reader.document.spec.zones ?? {};
  if (Object.hasOwn(zones, zone)) return [...(zones[zone] ?? [])].sort();
  const known = Object.keys(zones);
  const message = `There is no zone ${JSON.stringify(zone)} in this document${didYouMean(zone, known)}`;
  return failed(reader, 'unknown-reference', pointer, message);
}

const PORTLESS: readonly Protocol[] = ['esp', 'ah', 'gre', 'vrrp'];

/** Of services and ports together; sorted. */
function readPorts(reader: Reader, source: RuleSource, pointer: string): readonly PortRange[] {
  const { service, services = [], port, ports = [], protocol } = source;
  const named = [
    ...(service === undefined ? [] : [[service, `${pointer}/service`] as const]),
    ...services.map((name, index) => [name, `${pointer}/services/${index}`] as const),
  ];
  const numbered = [
    ...(port === undefined ? [] : [[port, `${pointer}/port`] as const]),
    ...ports.map((one, index) => [one, `${pointer}/ports/${index}`] as const),
  ];
  if (numbered.length > 0 && protocol !== undefined && PORTLESS.includes(protocol))
    failed(reader, 'wrong-value', `${pointer}/protocol`, `${protocol} has no ports; leave the ports out.`);
  const all = [
    ...named.flatMap(([name, at]) => readService(reader, name, at)),
    ...numbered.flatMap(([one, at]) => readPort(reader, one, protocol ?? 'tcp', at)),
    ...(numbered.length === 0 && protocol !== undefined ? [{ protocol, first: 0, last: 65535 }] : []),
  ];
  return all.sort((a, b) => (a.protocol < b.protocol ? -1 : a.protocol > b.protocol ? 1 : a.first - b.first));
}

function readService(reader: Reader, name: string, pointer: string): readonly PortRange[] {
  const ports = servicePorts(name);
  if (ports !== undefined) return ports;
  const nearest = didYouMean(name, SERVICE_NAMES);
  const advice = nearest === '.' ? '; give its number as "port".' : nearest;
  return failed(reader, 'unknown-service', pointer, `Unknown service ${JSON.stringify(name)}${advice}`);
}

function readPort(
  reader: Reader,
  source: PortSource,
  protocol: Protocol,
  pointer: string,
): readonly PortRange[] {
  const [first = 0, last = first] = String(source).split('-').map(Number);
  if (first >= 1 && last <= 65535 && first <= last) return [{ protocol, first, last }];
  const message = `${source} is no range of ports: they go from 1 to 65535, the lower one first.`;
  return failed(reader, 'wrong-value', pointer, message);
}

function portForward(reader: Reader, source: PortForwardSource, pointer: string): PortForward {
  const [, bracketed, plain, port = ''] = /^(?:\[(.*)\]|([0-9.]+)):([0-9]+)$/.exec(source.to) ?? [];
  const address = bracketed ?? plain ?? '';
  const valid = bracketed === undefined ? isIPv4(address) : isIPv6(address);
  if (!valid || Number(port) < 1 || Number(port) > 65535)
    failed(
      reader,
      'wrong-value',
      `${pointer}/to`,
      `${source.to} is no IP address with a port from 1 to 65535.`,
    );
  return {
    ports: readPort(reader, source.port, source.protocol ?? 'tcp', `${pointer}/port`),
    from: readPeers(reader, source.from, `${pointer}/from`),
    inInterfaces: interfacesOf(reader, source.zone, `${pointer}/zone`),
    address,
    port: Number(port),
  };
}

function masquerade(reader: Reader, source: MasqueradeSource, pointer: string): Masquerade {
  return {
    from: readPeers(reader, source.from, `${pointer}/from`) ?? [],
    outInterfaces: interfacesOf(reader, source.zone, `${pointer}/zone`),
  };
}
