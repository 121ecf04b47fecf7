import { isIP } from 'node:net';
import { checkDuration } from '../../spec/checks/duration.ts';
import { checkSelector } from '../../spec/checks/targets.ts';
import { errorAt, type ServerDocument, targetsServer } from '../../spec/documents.ts';
import {
  DEFAULT_EVERY_SECONDS,
  DEFAULT_WITHIN_SECONDS,
  durationSeconds,
  MAX_WAIT_SECONDS,
} from '../../spec/duration.ts';
import type { SpecError } from '../../spec/manifest.ts';
import type { ReachSource } from '../../spec/types.generated.ts';
import type { ReachProbe } from '../kind.ts';
import type { FirewallDocument } from './peers.ts';
import { servicePorts } from './services.ts';

/** Connections that one firewall asks other servers to try, for one server. */
const TRIES_MAX = 256;
/** Other ports that are looked at where a closed one stays silent. */
const OTHERS_MAX = 4;

/** What other servers are to try, for one server. */
export function reachProbes(
  { spec }: FirewallDocument,
  server: ServerDocument,
  all: readonly ServerDocument[],
): readonly ReachProbe[] {
  return (spec.reach ?? []).flatMap((source) => {
    const port = portOf(source);
    if (port === undefined) return [];
    const timing = {
      withinSeconds: source.within === undefined ? DEFAULT_WITHIN_SECONDS : durationSeconds(source.within),
      everySeconds: DEFAULT_EVERY_SECONDS,
    };
    const open = (source.expect ?? 'open') === 'open';
    return triers(source, server, all).flatMap((trier) => {
      const others = open ? {} : { others: othersFor(spec.reach ?? [], server, trier, port) };
      return addressesOf(server).map((address) => {
        const from = trier.metadata.name;
        return { kind: 'reach', from, address, port, open, ...others, ...timing } as const;
      });
    });
  });
}

/** What may answer who tries: what it is to find open, and sshd. */
function othersFor(
  reach: readonly ReachSource[],
  server: ServerDocument,
  trier: ServerDocument,
  port: number,
): readonly number[] {
  const open = reach.filter(({ expect = 'open', from }) => expect === 'open' && targetsServer(from, trier));
  const all = [...open.flatMap((source) => portOf(source) ?? []), server.spec.port ?? 22];
  return [...new Set(all)].filter((other) => other !== port).slice(0, OTHERS_MAX);
}

/** No server is asked about itself: it would see what loopback sees. */
function triers(source: ReachSource, server: ServerDocument, all: readonly ServerDocument[]) {
  return all.filter((other) => other !== server && targetsServer(source.from, other));
}

function addressesOf({ spec: { address, addresses = [address] } }: ServerDocument): readonly string[] {
  return addresses.filter((one) => isIP(one) !== 0);
}

/** Undefined: not exactly one. */
function portOf({ service, port }: ReachSource): number | undefined {
  if (service === undefined) return port;
  const [tcp, other] = (servicePorts(service) ?? []).filter(({ protocol }) => protocol === 'tcp');
  return port !== undefined || other !== undefined || tcp?.first !== tcp?.last ? undefined : tcp?.first;
}

/** `targets`: the servers of the document. */
export function checkReach(
  document: FirewallDocument,
  targets: readonly ServerDocument[],
  all: readonly ServerDocument[],
  complete: boolean,
): readonly SpecError[] {
  const single = (document.spec.reach ?? []).flatMap((source, index) => {
    const pointer = `/spec/reach/${index}`;
    const { within } = source;
    return [
      ...checkOne(source, targets, all, complete).map((message) =>
        errorAt(document, 'wrong-value', pointer, message),
      ),
      ...(within === undefined
        ? []
        : checkDuration(document, `${pointer}/within`, within, 1, MAX_WAIT_SECONDS)),
    ];
  });
  const most = Math.max(0, ...targets.map((server) => reachProbes(document, server, all).length));
  if (single.length > 0 || most <= TRIES_MAX) return single;
  const message = `With this, ${most} connections are tried to reach one server; at most ${TRIES_MAX} are.`;
  return [errorAt(document, 'too-many', '/spec/reach', message)];
}

function checkOne(
  source: ReachSource,
  targets: readonly ServerDocument[],
  all: readonly ServerDocument[],
  complete: boolean,
): readonly string[] {
  if (Object.keys(source.from).length !== 1) return ['"from" must have exactly one of labels and hosts.'];
  if (portOf(source) === undefined)
    return ['This must name one TCP port: give "port", or a "service" that has one.'];
  const problem = checkSelector(source.from, all);
  if (problem !== undefined) return complete ? [problem] : [];
  return targets.flatMap((server) => {
    const { name } = server.metadata;
    if (addressesOf(server).length === 0)
      return [`${name} has no IP address that others could try; add "addresses" to Server/${name}.`];
    const away = triers(source, server, all).find((other) => siteOf(other) !== siteOf(server));
    if (away === undefined) return [];
    return [`${away.metadata.name} is at another site than ${name}, and no worker reaches both.`];
  });
}

function siteOf({ spec: { site = 'default' } }: ServerDocument): string {
  return site;
}
