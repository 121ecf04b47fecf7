import { type Advisories, type CveState, cvesOf, type HostCve, isListed } from './advisories.ts';
import type { ReadSecurity } from './host.ts';

/** Where the vulnerabilities of a report come from. */
export type CveSource =
  | {
      readonly kind: 'tracker';
      readonly from: string;
      readonly date: string;
      /** Of what the list does not know, what changelogs of the outstanding updates name counts as well. */
      readonly changelogs?: true;
    }
  /** No list: what changelogs of the outstanding updates name. What is open without a fix, or fixed, is not known. */
  | { readonly kind: 'changelogs' }
  | { readonly kind: 'none' };

/** Vulnerabilities of one server. Those that are open or fixed are only counted: there are thousands. */
export interface HostCves {
  readonly open: number;
  readonly fixed: number;
  readonly fixable: readonly Omit<HostCve, 'state'>[];
  readonly waiting: readonly Omit<HostCve, 'state'>[];
}

/** The same over all servers, each vulnerability counted once, by its worst state. */
export interface FleetCves {
  readonly source: CveSource;
  readonly open: number;
  readonly fixable: number;
  readonly waiting: number;
  readonly fixed: number;
  /** Those that somebody can do something about now, most servers first. */
  readonly rows: readonly FleetCve[];
}

export interface FleetCve {
  readonly cve: string;
  readonly source: string;
  /** Servers by state. */
  readonly servers: Readonly<Record<CveState, number>>;
}

type Inventoried = Pick<ReadSecurity, 'inventory' | 'patches'>;

export function hostCves(host: Inventoried, advisories: Advisories | undefined): HostCves {
  const all = knownOf(host, advisories);
  const of = (wanted: CveState) =>
    all.filter(({ state }) => state === wanted).map(({ state: _, ...cve }) => cve);
  return {
    open: of('open').length,
    fixed: of('fixed').length,
    fixable: of('fixable'),
    waiting: of('waiting'),
  };
}

/** By the list of vulnerabilities; of what it does not know, what changelogs of the outstanding updates name can be mended. */
function knownOf(host: Inventoried, advisories: Advisories | undefined): readonly HostCve[] {
  const listed = advisories === undefined ? [] : cvesOf(host.inventory, advisories);
  return [...listed, ...toldBy(host, advisories)];
}

function toldBy({ inventory, patches }: Inventoried, advisories: Advisories | undefined): readonly HostCve[] {
  const unlisted = patches.security.filter(
    ({ source }) => advisories === undefined || !isListed(source, inventory.release, advisories),
  );
  const named = unlisted.flatMap(({ source, to, changelog = [] }) =>
    changelog.map((cve) => [`${cve} ${source}`, { cve, source, state: 'fixable', fixed: to }] as const),
  );
  return [...new Map(named).values()];
}

const WORST_FIRST: readonly CveState[] = ['fixable', 'waiting', 'open', 'fixed'];

export function fleetCves(hosts: readonly ReadSecurity[], advisories: Advisories | undefined): FleetCves {
  const rows = rowsOf(hosts, advisories);
  const worst = rows.map(({ servers }) => WORST_FIRST.find((state) => servers[state] > 0));
  const count = (wanted: CveState) => worst.filter((state) => state === wanted).length;
  return {
    source: sourceOf(hosts, advisories),
    open: count('open'),
    fixable: count('fixable'),
    waiting: count('waiting'),
    fixed: count('fixed'),
    rows: rows
      .filter(({ servers }) => servers.fixable + servers.waiting > 0)
      .sort((a, b) => affected(b) - affected(a) || (a.cve < b.cve ? 1 : -1)),
  };
}

function sourceOf(hosts: readonly Inventoried[], advisories: Advisories | undefined): CveSource {
  if (advisories !== undefined) {
    const told = hosts.some((host) => toldBy(host, advisories).length > 0);
    const { from, date } = advisories;
    return { kind: 'tracker', from, date, ...(told ? ({ changelogs: true } as const) : {}) };
  }
  const asked = hosts.some(({ patches }) =>
    patches.security.some(({ changelog }) => changelog !== undefined),
  );
  return { kind: asked ? 'changelogs' : 'none' };
}

function rowsOf(hosts: readonly Inventoried[], advisories: Advisories | undefined): readonly FleetCve[] {
  const byCve = new Map<string, { cve: string; source: string; servers: Record<CveState, number> }>();
  for (const host of hosts)
    for (const { cve, source, state } of knownOf(host, advisories)) {
      const key = `${cve} ${source}`;
      const row = byCve.get(key) ?? { cve, source, servers: { open: 0, fixable: 0, waiting: 0, fixed: 0 } };
      row.servers[state] += 1;
      byCve.set(key, row);
    }
  return [...byCve.values()];
}

function affected({ servers }: FleetCve): number {
  return servers.fixable + servers.waiting;
}
