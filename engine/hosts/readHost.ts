import { FactError, type FactQuery, type Readings, splitItemKey } from '../facts/fact.ts';
import type { OwnedItem } from '../facts/owned.ts';
import { packageFact } from '../facts/package.ts';
import { facts } from '../facts/registry.ts';
import { completed, learnt } from '../facts/remembered.ts';
import { hashRaw, parseReadings, readScript } from '../facts/script.ts';
import { hasCustody } from '../operations/custodies.ts';
import { abandonedItems, furtherQueries, hostQueries, type Owner } from '../plan/planHost.ts';
import { releaseQueries } from '../plan/removals.ts';
import { lines } from '../shell/sh.ts';
import type { ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import { type Fence, FencedError, refusalIn, showFence } from './fence.ts';
import { excerpt } from './host-error.ts';
import type { Session } from './session.ts';
import type { HostTarget } from './target.ts';

/** Reading all facts of one host may take this long before the host counts as not answering. Seconds. */
const READ_SECONDS_MAX = 120;

/** What a host may answer to one reading, bounded for a host that lies. Bytes. */
const READ_BYTES_MAX = 32 * 1024 * 1024;

/** Items of one host that are given up in one plan; each is a step, and plans have a bound. */
const ABANDONED_MAX = 10_000;

/** Where a resolved server is reached. */
export function targetOf(server: ResolvedServer): HostTarget {
  const { name, address, port, user, hostKeys, firstSeen, become, site, jump } = server;
  return {
    name,
    address,
    port,
    user,
    hostKeys,
    become,
    site,
    ...(firstSeen === undefined ? {} : { firstSeen }),
    ...(jump === undefined ? {} : { jump: targetOf(jump) }),
  };
}

/**
 * Everything that planning the host needs: one round trip, and a second one only when items left the YAML, or the first shows
 * what else matters. Throws
 * HostError and FactError. `fence`: shown to the host on the way; it throws FencedError where it is too low.
 */
export async function readHost(
  session: Session,
  host: ResolvedHost,
  owner: Owner,
  extra: readonly FactQuery[] = [],
  fence?: Fence,
): Promise<Readings> {
  const readings = await readFacts(session, hostQueries(host, extra), fence);
  const abandoned = abandonedItems(host, readings, owner);
  requireReadable(host.name, abandoned);
  const further = [...furtherQueries(host, readings), ...releaseQueries(abandoned)];
  return further.length === 0 ? readings : new Map([...readings, ...(await readFacts(session, further))]);
}

/** The host's own records say what is left over, and the host may be anybody's. Throws FactError. */
function requireReadable(host: string, abandoned: readonly OwnedItem[]): void {
  if (abandoned.length > ABANDONED_MAX)
    throw new FactError(
      `${host}: ${abandoned.length} items left the YAML at once; at most ${ABANDONED_MAX} can, so remove them in several pull requests`,
    );
  const strange = abandoned.find(({ item }) => !hasCustody(splitItemKey(item).fact));
  if (strange !== undefined)
    throw new FactError(
      `${host}: its record of ${strange.item} is of a sort that this engine does not know; a newer engine wrote it, or somebody else`,
    );
}

/** What the host answered before to the same question is sent along by its hash, so that it need not find it again. */
export async function readFacts(
  session: Session,
  queries: readonly FactQuery[],
  fence?: Fence,
): Promise<Readings> {
  const asked = queries.filter((query) => query.fact === packageFact.fact);
  const question = `${session.identity} ${hashRaw(JSON.stringify(asked))}`;
  const known = session.memory.get(question);
  const script = readScript(facts, queries, known?.basis);
  const result = await session.run(fence === undefined ? script : lines(showFence(fence), script), {
    timeoutSeconds: READ_SECONDS_MAX,
    maxOutputBytes: READ_BYTES_MAX,
  });
  if (result.exitCode !== 0) {
    const why = excerpt(result.stderr);
    throw new FactError(
      `${session.target.name}: reading its state failed with exit ${result.exitCode}${why === '' ? '' : `: ${why}`}`,
    );
  }
  if (fence !== undefined) requireNotFenced(session, result.stdout);
  const readings = parseReadings(facts, queries, completed(result.stdout, known));
  const answer = learnt(result.stdout);
  if (answer !== undefined) session.memory.set(question, answer);
  return readings;
}

function requireNotFenced({ target }: Session, stdout: string): void {
  const refused = refusalIn(stdout);
  if (refused === undefined) return;
  throw new FencedError(
    `${target.name} was given to a later run (lock ${refused.seen}) than this one (lock ${refused.shown}), so nothing more is done there`,
  );
}
