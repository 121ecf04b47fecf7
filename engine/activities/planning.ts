import type { Tracker } from '../advisories/tracker.ts';
import type { ItemKey, Readings } from '../facts/fact.ts';
import type { Fence } from '../hosts/fence.ts';
import { HostError, type HostErrorType } from '../hosts/host-error.ts';
import { readHost, targetOf } from '../hosts/readHost.ts';
import type { Transport } from '../hosts/session.ts';
import type { Payloads, Seals } from '../kinds/kind.ts';
import { cut, MESSAGE_MAX } from '../plan/bounds.ts';
import { abandonedItems, type Owner, planHost, SYSTEM } from '../plan/planHost.ts';
import { maskOfQuotes, withQuotesMasked } from '../plan/quoted.ts';
import type { HostPlan } from '../plan/step.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Unsealing } from '../secrets/unseal.ts';
import type { Advisories } from '../security/advisories.ts';
import { mendedOn, outstandingSources } from '../security/mended.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Mask } from '../spec/secrets.ts';
import { PLAN_MAX_BYTES } from '../store/plans.ts';
import { type Known, sealedOn } from './hostMask.ts';
import type { MergedLater } from './mergedLater.ts';
import { learnReadable, requireAll, sealedPayloads, sealsOf } from './sealing.ts';

/** What planning works with. */
export interface PlanningParts {
  readonly transport: Transport;
  readonly secrets: Secrets;
  /** Left out: what updates close is told by their changelogs. */
  readonly tracker?: Tracker;
}

/** A list of vulnerabilities that is only just being fetched does not hold up a plan for longer. */
const TRACKER_PATIENCE_MS = 5_000;

/** Hosts that are read at the same time; each is one connection and one round trip. */
const HOSTS_AT_ONCE = 64;

/** As JSON: half of what the store takes of all servers together, so that one alone does not keep the others from their plans. */
const HOST_PLAN_MAX_BYTES = PLAN_MAX_BYTES / 2;

export type HostPlanning =
  | {
      readonly kind: 'planned';
      readonly plan: HostPlan;
      readonly readings: Readings;
      readonly seals: Seals;
      /** Takes every secret that was read for it out of a text; left out where somebody else has planned the host. */
      readonly mask?: Mask;
    }
  | HostProblem;

/** The host could not be read; the sentence says why and what to do. */
interface HostProblem {
  readonly kind: 'problem';
  readonly host: string;
  readonly message: string;
  /** It did not answer at all; else something is wrong that a second look will not mend. */
  readonly away: boolean;
  readonly cause: unknown;
}

export interface Planning extends Owner {
  readonly hosts: readonly ResolvedHost[];
  readonly payloads: Payloads;
  /** Earlier desired states, whose secrets the hosts may still show. */
  readonly known?: Known;
  /** Items whose desired state the change touches; undefined when there is nothing to compare with. */
  readonly changedItems: (host: string) => ReadonlySet<ItemKey> | undefined;
  /** As in `HostPlanInput`. */
  readonly askedOnly?: boolean;
  /** Hosts that were never seen: what they are is read as well. */
  readonly isNew?: (host: ResolvedHost) => boolean;
  /** A secret that cannot be read is an error of its file, and the rest is planned; else it is a problem of the host. */
  readonly planRest?: boolean;
  /** Left out where all that could be merged meanwhile is locked out. */
  readonly mergedLater?: MergedLater;
  /** Of the lock under which the host is read, for the host to see; left out where none was taken. */
  readonly fenceOf?: (host: ResolvedHost) => Fence | undefined;
}

/** Reads all hosts and plans each. A host that does not answer is a result like any other. */
export async function planHosts(
  { transport, secrets, tracker }: PlanningParts,
  planning: Planning,
): Promise<readonly HostPlanning[]> {
  const unsealing = secrets.open(async (sha256) => planning.payloads.get(sha256));
  const read = await inParallel(planning.hosts, HOSTS_AT_ONCE, (host) =>
    orProblem(host, unsealing, () => readOne(transport, unsealing, planning, host)),
  );
  const advisories = await advisoriesOf(tracker, read);
  return Promise.all(
    read.map(async (one) => {
      if (one.kind === 'problem') return one;
      // what git or the store cannot say is no fault of the host
      const openRuns = await openRunsOf(one, planning);
      return orProblem(one.host, unsealing, async () =>
        planOne(one, unsealing, { ...planning, openRuns }, advisories),
      );
    }),
  );
}

interface Read {
  readonly kind: 'read';
  readonly host: ResolvedHost;
  readonly readings: Readings;
  readonly seals: Seals;
}

async function readOne(
  transport: Transport,
  unsealing: Unsealing,
  planning: Planning,
  host: ResolvedHost,
): Promise<Read> {
  await learnReadable(unsealing, sealedOn(host, planning.known ?? []));
  await learnReadable(unsealing, sealedPayloads(host));
  const seals = await sealsOf(host, planning.payloads, unsealing);
  if (planning.planRest !== true) requireAll(seals);
  const extra = planning.isNew?.(host) === true ? [SYSTEM] : [];
  const readings = await readAgain(() =>
    transport.withSession(targetOf(host.server), (session) =>
      readHost(session, host, planning, extra, planning.fenceOf?.(host)),
    ),
  );
  return { kind: 'read', host, readings, seals };
}

/** Of all that is outstanding on these hosts, in one look; of none of it where nothing is. */
async function advisoriesOf(
  tracker: Tracker | undefined,
  read: readonly (Read | HostProblem)[],
): Promise<Advisories | undefined> {
  const sources = read.flatMap((one) => (one.kind === 'read' ? outstandingSources(one.readings) : []));
  return sources.length === 0 ? undefined : tracker?.of(new Set(sources), TRACKER_PATIENCE_MS);
}

function planOne(
  { host, readings, seals }: Read,
  unsealing: Unsealing,
  { payloads, repository, changedItems, openRuns = [], askedOnly = false }: Planning,
  advisories: Advisories | undefined,
): HostPlanning {
  const plan = planHost({
    host,
    readings,
    payloads,
    seals,
    conceal: unsealing.conceal,
    repository,
    changedItems: changedItems(host.name),
    askedOnly,
    openRuns,
    ...(advisories && { mended: mendedOn(readings, advisories) }),
  });
  requireBounded(plan);
  const shown = withQuotesMasked(plan, maskOfQuotes(unsealing, readings));
  return { kind: 'planned', plan: shown, readings, seals, mask: unsealing.mask };
}

/** Throws where the plan is larger than one server's may be. */
export function requireBounded(plan: HostPlan): void {
  const bytes = Buffer.byteLength(JSON.stringify(plan));
  if (bytes <= HOST_PLAN_MAX_BYTES) return;
  throw new Error(
    `the plan of ${plan.host} has ${bytes} bytes, and one server's may have ${HOST_PLAN_MAX_BYTES}. Split the change into several pull requests, or look for what is wrong on the server`,
  );
}

async function orProblem<T>(
  host: ResolvedHost,
  unsealing: Unsealing,
  work: () => Promise<T>,
): Promise<T | HostProblem> {
  try {
    return await work();
  } catch (error) {
    return {
      kind: 'problem',
      host: host.name,
      message: cut(unsealing.mask(error instanceof Error ? error.message : String(error)), MESSAGE_MAX),
      cause: error,
      away: isAway(error),
    };
  }
}

/** Those that were not over when it was read, and those that are merged by now: what they brought is not abandoned. */
async function openRunsOf({ host, readings }: Read, planning: Planning): Promise<readonly string[]> {
  const { openRuns = [], mergedLater } = planning;
  const abandoned = abandonedItems(host, readings, planning);
  if (abandoned.length === 0 || mergedLater === undefined) return openRuns;
  return [...openRuns, ...(await mergedLater(abandoned))];
}

/** Reading changes nothing, so a connection that broke meanwhile (sshd was restarted, a NAT forgot it) is made anew, once. */
async function readAgain<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof HostError) || error.type !== 'connection-lost') throw error;
    return read();
  }
}

const AWAY: readonly HostErrorType[] = ['unreachable', 'connection-lost', 'timed-out'];

export function isAway(error: unknown): boolean {
  return error instanceof HostError && AWAY.includes(error.type);
}

/** Results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Map<number, R>();
  const queue = items.map((item, index) => ({ item, index }));
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      results.set(next.index, await work(next.item));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return items.map((_, index) => results.get(index) as R);
}
