import type { Tracker } from '../advisories/tracker.ts';
import type { FactQuery, Readings } from '../facts/fact.ts';
import { HostError } from '../hosts/host-error.ts';
import { readFacts, targetOf } from '../hosts/readHost.ts';
import type { Transport } from '../hosts/session.ts';
import { type Advisories, sourcesOf } from '../security/advisories.ts';
import { hardeningStates } from '../security/hardening.ts';
import type { HostSecurity, Patches } from '../security/host.ts';
import { inventoryOf, lookerNeeds, securityNeeds } from '../security/needs.ts';
import { changelogQuery, patchesOf, withChangelogs } from '../security/patches.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { inParallel } from './planning.ts';
import { exposureOf, isNear, type Read } from './readExposure.ts';

const HOSTS_AT_ONCE = 64;

/** Servers that are asked to look at a single one, until one answers. */
const LOOKERS_TRIED_MAX = 3;

/** Changelogs asked for on one host; of more updates, those that come first. */
const CHANGELOGS_MAX = 10;

interface ReadingOptions {
  /** Servers that may look at a single one; default those that are read. */
  readonly lookers?: readonly ResolvedHost[];
  /** There is no list of vulnerabilities: what updates mend is asked of their changelogs. */
  readonly changelogs?: boolean;
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
