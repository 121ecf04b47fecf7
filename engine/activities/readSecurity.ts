import type { Tracker } from '../advisories/tracker.ts';
import type { FactQuery, Readings } from '../facts/fact.ts';
import { HostError } from '../hosts/host-error.ts';
import { type Look, lookAt, lookFrom, lookFromHere, type Place } from '../hosts/outside.ts';
import { readFacts, targetOf } from '../hosts/readHost.ts';
import type { Transport } from '../hosts/session.ts';
import { type Advisories, sourcesOf } from '../security/advisories.ts';
import { portJudge, portsToTry } from '../security/exposure.ts';
import { hardeningStates } from '../security/hardening.ts';
import type { Exposure, HostSecurity, Patches, SeenPort } from '../security/host.ts';
import { firewallOf, inventoryOf, lookerNeeds, securityNeeds } from '../security/needs.ts';
import { changelogQuery, patchesOf, withChangelogs } from '../security/patches.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import { inParallel } from './planning.ts';

const HOSTS_AT_ONCE = 64;

/** Servers that are asked to look at a single one, until one answers. */
const LOOKERS_TRIED_MAX = 3;

/** Addresses of one host whose ports are tried. */
const ADDRESSES_TRIED_MAX = 4;

/** Changelogs asked for on one host; of more updates, those that come first. */
const CHANGELOGS_MAX = 10;

interface ReadingOptions {
  /** Servers that may look at a single one; default those that are read. */
  readonly lookers?: readonly ResolvedHost[];
  /** There is no list of vulnerabilities: what updates mend is asked of their changelogs. */
  readonly changelogs?: boolean;
}

interface Read {
  readonly host: ResolvedHost;
  readonly readings: Readings;
}

/**
 * Reads hosts for the security report, and looks at each from outside. Changes nothing. One that does not answer is a result.
 */
export async function readSecurity(
  transport: Transport,
  hosts: readonly ResolvedHost[],
  options: ReadingOptions = {},
): Promise<readonly HostSecurity[]> {
  const { lookers = hosts } = options;
  const tries = await inParallel(hosts, HOSTS_AT_ONCE, (host) => readOne(transport, host));
  const own = tries.flatMap((one) => ('readings' in one ? [one] : []));
  const read = own.length === 1 ? [...own, ...(await another(transport, own, lookers))] : own;
  return inParallel(tries, HOSTS_AT_ONCE, async (one): Promise<HostSecurity> => {
    if ('problem' in one) return one;
    const { host, readings } = one;
    return {
      kind: 'read',
      host: host.name,
      hardening: hardeningStates(host, readings),
      exposure: await exposureOf(transport, one, read, lookers),
      patches: await patchesRead(transport, one, options),
      inventory: inventoryOf(readings),
    };
  });
}

/** A second look at the host, which asks its archives in turn; without an answer nothing is known, and nothing is lost. */
async function patchesRead(
  transport: Transport,
  { host, readings }: Read,
  { changelogs = false }: ReadingOptions,
): Promise<Patches> {
  const patches = patchesOf(host, readings);
  // that of a package that the host has the new file of is known
  const asked = patches.security
    .filter(({ changelog }) => changelog === undefined)
    .slice(0, CHANGELOGS_MAX)
    .map(changelogQuery);
  if (!changelogs || asked.length === 0) return patches;
  const told = await transport
    .withSession(targetOf(host.server), (session) => readFacts(session, asked))
    .catch((): Readings => new Map());
  return withChangelogs(patches, told);
}

/** What is known of whatever is installed on these hosts; undefined where no list of vulnerabilities could be had. */
export function advisoriesFor(
  tracker: Tracker,
  hosts: readonly HostSecurity[],
): Promise<Advisories | undefined> {
  const known = hosts.flatMap((host) => (host.kind === 'read' ? [host] : (host.known ?? [])));
  return tracker.of(sourcesOf(known.map(({ inventory }) => inventory)));
}

function isNear(other: ResolvedHost, host: ResolvedHost): boolean {
  return other.server.site === host.server.site && other.name !== host.name;
}

/** A single host is looked at by the next of its site that answers. */
async function another(
  transport: Transport,
  own: readonly Read[],
  lookers: readonly ResolvedHost[],
): Promise<readonly Read[]> {
  const [first] = own;
  const near = first === undefined ? [] : lookers.filter((other) => isNear(other, first.host));
  for (const host of near.slice(0, LOOKERS_TRIED_MAX)) {
    const read = await readOne(transport, host, lookerNeeds());
    if ('readings' in read) return [read];
  }
  return [];
}

async function readOne(
  transport: Transport,
  host: ResolvedHost,
  needs: readonly FactQuery[] = securityNeeds(host),
): Promise<Read | Extract<HostSecurity, { kind: 'unread' }>> {
  const read = () => transport.withSession(targetOf(host.server), (session) => readFacts(session, needs));
  try {
    return {
      host,
      readings: await read().catch((error: unknown) => (isLost(error) ? read() : Promise.reject(error))),
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { kind: 'unread', host: host.name, problem };
  }
}

/** A connection that was kept from before the server was cut off is noticed only now; the next one is made anew. */
function isLost(error: unknown): boolean {
  return error instanceof HostError && error.type === 'connection-lost' && !error.ambiguous;
}

async function exposureOf(
  transport: Transport,
  seen: Read,
  all: readonly Read[],
  lookers: readonly ResolvedHost[],
): Promise<Exposure> {
  const { host, readings } = seen;
  const document = host.documents.find(isFirewall);
  const { listeners, login } = firewallOf(readings);
  const { ports, more } = portsToTry(listeners, document?.spec.desired);
  const places = placesOf(seen, ports);
  const firewall = document === undefined ? {} : { firewall: document.ref };
  const looker = lookerFor(seen, all);
  const engine = { name: 'the engine', senders: login === undefined ? [] : [login.address] };
  const from = looker === undefined ? engine : { name: looker.host.name, senders: sendersOf(looker) };
  if (looker === undefined && host.server.jump !== undefined)
    return {
      ...firewall,
      why: 'it is behind another server, and no third one of its site was read',
      ...(lookers.some((other) => isNear(other, host)) ? {} : { nobody: true }),
      ports: [],
      more,
      unseen: [],
    };
  const open = await see(transport, looker, places);
  if (typeof open === 'string') return { ...firewall, why: open, ports: [], more, unseen: [] };
  const verdictOn =
    document === undefined
      ? () => ({ declared: false })
      : portJudge(document.spec.desired, from.senders, ports);
  const seenPorts = places.map(
    ({ address, port }, i): SeenPort => ({
      address,
      port,
      program: listeners.find((one) => one.port === port)?.program ?? '',
      open: open[i] === true,
      ...verdictOn(address, port),
    }),
  );
  const unseen = inventoryOf(readings).addresses.filter((address) => !triedOf(seen).includes(address));
  return { ...firewall, from: from.name, ports: seenPorts, more, unseen };
}

function isFirewall(document: ResolvedDocument): document is ResolvedDocument<'Firewall'> {
  return document.kind === 'Firewall';
}

function placesOf(seen: Read, ports: readonly number[]): readonly Place[] {
  return triedOf(seen).flatMap((address) => ports.map((port) => ({ address, port })));
}

/** What the documents say only: a host that somebody else owns must not choose what others try. */
function triedOf({ host }: Read): readonly string[] {
  return (host.addresses ?? [host.server.address]).slice(0, ADDRESSES_TRIED_MAX);
}

function sendersOf({ host, readings }: Read): readonly string[] {
  return [...new Set([...triedOf({ host, readings }), ...inventoryOf(readings).addresses])];
}

/** The next server of the same site, so that each is asked about one other; undefined: only the engine can look. */
function lookerFor({ host }: Read, all: readonly Read[]): Read | undefined {
  const near = all.filter((other) => other.host.server.site === host.server.site);
  const at = near.findIndex((other) => other.host === host);
  const next = near[(at + 1) % near.length];
  return next === undefined || next.host === host ? undefined : next;
}

/** Whether each place is open; or why that cannot be told. */
async function see(
  transport: Transport,
  looker: Read | undefined,
  places: readonly Place[],
): Promise<readonly boolean[] | string> {
  if (looker === undefined) return lookAt(lookFromHere, places);
  const { server, name } = looker.host;
  try {
    return await transport.withSession(targetOf(server), async (session) => {
      const look = lookFrom(session);
      // that nothing answers proves something only where connections can be made at all
      if (!(await canLook(look, session.target.port))) return `${name} cannot even reach its own SSH server`;
      return lookAt(look, places);
    });
  } catch (error) {
    return `${name} was lost while it looked: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function canLook(look: Look, port: number): Promise<boolean> {
  return look({ address: '127.0.0.1', port });
}
