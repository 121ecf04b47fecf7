import type { ItemKey, Readings } from '../facts/fact.ts';
import type { Fence } from '../hosts/fence.ts';
import { HostError, type HostErrorType } from '../hosts/host-error.ts';
import { readHost, targetOf } from '../hosts/readHost.ts';
import type { Transport } from '../hosts/session.ts';
import type { Payloads, Seals } from '../kinds/kind.ts';
import { abandonedItems, type Owner, planHost, SYSTEM } from '../plan/planHost.ts';
import type { HostPlan } from '../plan/step.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Unsealing } from '../secrets/unseal.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { MergedLater } from './mergedLater.ts';
import { requireAll, sealsOf } from './sealing.ts';

/** What planning works with. */
export interface PlanningParts {
  readonly transport: Transport;
  readonly secrets: Secrets;
}

/** Hosts that are read at the same time; each is one connection and one round trip. */
const HOSTS_AT_ONCE = 64;

export type HostPlanning =
  | {
      readonly kind: 'planned';
      readonly plan: HostPlan;
      readonly readings: Readings;
      readonly seals: Seals;
    }
  /** The host could not be read; the sentence says why and what to do. */
  | {
      readonly kind: 'problem';
      readonly host: string;
      readonly message: string;
      /** It did not answer at all; else something is wrong that a second look will not mend. */
      readonly away: boolean;
      readonly cause: unknown;
    };

export interface Planning extends Owner {
  readonly hosts: readonly ResolvedHost[];
  readonly payloads: Payloads;
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
  { transport, secrets }: PlanningParts,
  planning: Planning,
): Promise<readonly HostPlanning[]> {
  const unsealing = secrets.open(async (sha256) => planning.payloads.get(sha256));
  return inParallel(planning.hosts, HOSTS_AT_ONCE, (host) => planOne(transport, unsealing, planning, host));
}

async function planOne(
  transport: Transport,
  unsealing: Unsealing,
  planning: Planning,
  host: ResolvedHost,
): Promise<HostPlanning> {
  const { payloads, repository, askedOnly = false } = planning;
  const { conceal } = unsealing;
  try {
    const seals = await sealsOf(host, payloads, unsealing);
    if (planning.planRest !== true) requireAll(seals);
    return await readAgain(() =>
      transport.withSession(targetOf(host.server), async (session) => {
        const extra = planning.isNew?.(host) === true ? [SYSTEM] : [];
        const readings = await readHost(session, host, planning, extra, planning.fenceOf?.(host));
        const changedItems = planning.changedItems(host.name);
        const openRuns = await openRunsOf(host, readings, planning);
        return {
          kind: 'planned',
          plan: planHost({
            host,
            readings,
            payloads,
            seals,
            conceal,
            repository,
            changedItems,
            askedOnly,
            openRuns,
          }),
          readings,
          seals,
        };
      }),
    );
  } catch (error) {
    return {
      kind: 'problem',
      host: host.name,
      message: unsealing.mask(error instanceof Error ? error.message : String(error)),
      cause: error,
      away: isAway(error),
    };
  }
}

/** Those that were not over when it was read, and those that are merged by now: what they brought is not abandoned. */
async function openRunsOf(host: ResolvedHost, readings: Readings, planning: Planning) {
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
