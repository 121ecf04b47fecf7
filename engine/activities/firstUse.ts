import { fingerprint, parseHostKey } from '../hosts/host-key.ts';
import { targetOf } from '../hosts/readHost.ts';
import { scanHost } from '../hosts/scan.ts';
import type { Finding } from '../plan/step.ts';
import type { ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { type HostPlanning, inParallel, isAway } from './planning.ts';
import type { ResolvedRevision } from './revisions.ts';
import { addressOf, chainOf, isUnknown, seenAs } from './seenKeys.ts';
import { twinFindings, withSameMachines } from './twins.ts';
import type { SitePart } from './types.ts';

const HOSTS_AT_ONCE = 16;

/** What is met for the first time, and by which head. */
export interface Meeting {
  readonly repository: string;
  readonly pull: number;
  readonly headSha: string;
}

export interface Met {
  /** Known by a key, pinned or seen. */
  readonly hosts: readonly ResolvedHost[];
  /** Those that showed none. */
  readonly problems: readonly HostPlanning[];
}

export interface MetAndPlanned {
  readonly plannings: readonly HostPlanning[];
  /** The changed ones, with their keys. */
  readonly hosts: readonly ResolvedHost[];
}

/**
 * Meets what has no key yet and plans; a valid revision has such servers only where the policy allows it. Servers of
 * sites that others have read (`parts`) are not met from here.
 */
export async function meetAndPlan(
  engine: Engine,
  meeting: Meeting,
  { changed, base, merged }: Extract<ResolvedRevision, { kind: 'resolved' }>,
  parts: readonly SitePart[],
  plan: (hosts: readonly ResolvedHost[]) => Promise<readonly HostPlanning[]>,
): Promise<MetAndPlanned> {
  const isElsewhere = ({ server }: ResolvedHost): boolean => parts.some(({ site }) => site === server.site);
  const here = changed.filter((host) => !isElsewhere(host));
  const met = await meetServers(engine, here, meeting);
  const planned = await plan([...met.hosts, ...changed.filter(isElsewhere)]);
  const before = new Map(base.hosts.map(({ name, server }) => [name, server]));
  const all = merged.hosts.map((host) => met.hosts.find(({ name }) => name === host.name) ?? host);
  const told = apart(planned, all).map((each) => withKeyFindings(each, met.hosts, before, all));
  const hosts = changed.map((host) => met.hosts.find(({ name }) => name === host.name) ?? host);
  return { plannings: [...told, ...met.problems], hosts };
}

/** Told of each that was read from the same machine as another. */
function apart(plannings: readonly HostPlanning[], all: readonly ResolvedHost[]): readonly HostPlanning[] {
  const plans = plannings.flatMap((each) => (each.kind === 'planned' ? [each.plan] : []));
  const byHost = new Map(withSameMachines(plans, all).map((plan) => [plan.host, plan]));
  return plannings.map((each) =>
    each.kind === 'planned' ? { ...each, plan: byHost.get(each.plan.host) ?? each.plan } : each,
  );
}

function withKeyFindings(
  planning: HostPlanning,
  hosts: readonly ResolvedHost[],
  before: ReadonlyMap<string, ResolvedServer>,
  all: readonly ResolvedHost[],
): HostPlanning {
  if (planning.kind !== 'planned') return planning;
  const { plan } = planning;
  const host = hosts.find(({ name }) => name === plan.host);
  const own =
    host === undefined
      ? []
      : [...seenFindings(host), ...pinFindings(host, before.get(host.name)), ...twinFindings(host, all)];
  return { ...planning, plan: { ...plan, findings: [...plan.findings, ...own] } };
}

/**
 * Meets servers that have no key: what each shows is kept, and holds from then on. The caller has asked the policy.
 * Nobody logs in before the key is kept.
 */
export async function meetServers(
  engine: Pick<Engine, 'transport' | 'store'>,
  hosts: readonly ResolvedHost[],
  meeting: Meeting,
): Promise<Met> {
  const met = await inParallel(hosts, HOSTS_AT_ONCE, async (host) => {
    if (!isUnknown(host.server)) return host;
    try {
      return { ...host, server: await meet(engine, host.server, meeting) };
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      return { kind: 'problem', host: host.name, message, cause, away: isAway(cause) } as const;
    }
  });
  return {
    hosts: met.flatMap((each) => (each.kind === 'problem' ? [] : [each])),
    problems: met.flatMap((each) => (each.kind === 'problem' ? [each] : [])),
  };
}

/** The jump host first, since the server is reached through it. */
async function meet(
  engine: Pick<Engine, 'transport' | 'store'>,
  server: ResolvedServer,
  meeting: Meeting,
): Promise<ResolvedServer> {
  const { jump, ...own } = server;
  const whole: ResolvedServer = {
    ...own,
    ...(jump === undefined ? {} : { jump: await meet(engine, jump, meeting) }),
  };
  if (server.hostKeys.length > 0) return whole;
  const key = await shownKey(engine, whole);
  const place = { repository: meeting.repository, server: server.name, address: addressOf(server) };
  const { pull, headSha } = meeting;
  const detail = { fingerprint: printOf(key) };
  return seenAs(whole, await engine.store.hostKeys.remember(place, key, { pull, headSha, detail }));
}

async function shownKey(
  { transport }: Pick<Engine, 'transport'>,
  { address, port, jump }: ResolvedServer,
): Promise<string> {
  const { hostKeys } =
    jump === undefined
      ? await scanHost(address, port)
      : await transport.withSession(targetOf(jump), (session) =>
          scanHost(address, port, () => session.connect(address, port)),
        );
  const [best] = hostKeys;
  if (best === undefined) throw new Error(`${address}:${port} shows no host key`);
  return best.line;
}

/** Shown with every plan until the key is pinned. */
export function seenFindings({ name, server }: ResolvedHost): readonly Finding[] {
  return chainOf(server).flatMap(({ name: seen, firstSeen, hostKeys: [key = ''] }) =>
    firstSeen === undefined
      ? []
      : [
          {
            kind: 'finding',
            severity: 'warning',
            host: name,
            document: `Server/${seen}`,
            message: `${seen} has no pinned host key. The one that it showed first, at ${firstSeen}, was accepted, as the policy allows: ${printOf(key)}. Compare it on the machine's console, then pin it: hostKey: "${key}"`,
          },
        ],
  );
}

/** Whom the engine takes for a server is worth a look, also where the diff of the YAML is long. `was`: as its base has it. */
export function pinFindings(
  { name, server }: ResolvedHost,
  was: ResolvedServer | undefined,
): readonly Finding[] {
  const before = was?.hostKeys ?? [];
  const same =
    before.length === server.hostKeys.length && server.hostKeys.every((key) => before.includes(key));
  if (before.length === 0 || same) return [];
  const [from, to] = [before, server.hostKeys].map((keys) => keys.map(printOf).join(' or '));
  const message = `the host key of ${name} changes: from now on it is ${to}, until now ${from}. Compare it on the machine's console`;
  return [{ kind: 'finding', severity: 'warning', host: name, document: `Server/${name}`, message }];
}

export function printOf(line: string): string {
  const key = parseHostKey(line);
  return key === undefined ? line : `${key.type} ${fingerprint(key.blob)}`;
}
