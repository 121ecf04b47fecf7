import { FactError, type FactQuery, type Readings, splitItemKey } from '../facts/fact.ts';
import { facts } from '../facts/registry.ts';
import { parseReadings, readScript } from '../facts/script.ts';
import { abandonedItems, hostQueries, type Owner } from '../plan/planHost.ts';
import type { ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import { excerpt } from './host-error.ts';
import type { Session } from './session.ts';
import type { HostTarget } from './target.ts';

/** Reading all facts of one host may take this long before the host counts as not answering. Seconds. */
const READ_SECONDS_MAX = 120;

/** What a host may answer to one reading, bounded for a host that lies. Bytes. */
const READ_BYTES_MAX = 32 * 1024 * 1024;

/** Where a resolved server is reached. */
export function targetOf(server: ResolvedServer): HostTarget {
  const { name, address, port, user, hostKeys, become, site, jump } = server;
  return {
    name,
    address,
    port,
    user,
    hostKeys,
    become,
    site,
    ...(jump === undefined ? {} : { jump: targetOf(jump) }),
  };
}

/**
 * Everything that planning the host needs: one round trip, and a second one only when items left the YAML. Throws
 * HostError and FactError.
 */
export async function readHost(
  session: Session,
  host: ResolvedHost,
  owner: Owner,
  extra: readonly FactQuery[] = [],
): Promise<Readings> {
  const readings = await readFacts(session, hostQueries(host, extra));
  const abandoned = abandonedItems(host, readings, owner).map((owned): FactQuery => splitItemKey(owned.item));
  if (abandoned.length === 0) return readings;
  return new Map([...readings, ...(await readFacts(session, abandoned))]);
}

export async function readFacts(session: Session, queries: readonly FactQuery[]): Promise<Readings> {
  const result = await session.run(readScript(facts, queries), {
    timeoutSeconds: READ_SECONDS_MAX,
    maxOutputBytes: READ_BYTES_MAX,
  });
  if (result.exitCode !== 0) {
    const why = excerpt(result.stderr);
    throw new FactError(
      `${session.target.name}: reading its state failed with exit ${result.exitCode}${why === '' ? '' : `: ${why}`}`,
    );
  }
  return parseReadings(facts, queries, result.stdout);
}
