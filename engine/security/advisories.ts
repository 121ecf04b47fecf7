import type { InventoryState, SourcePackage } from '../facts/inventory.ts';
import { compareDebianVersions } from './debianVersion.ts';

/** What a list of vulnerabilities says of the source packages that were asked for. */
export interface Advisories {
  /** Of the data, ISO time. */
  readonly date: string;
  /** Where it comes from, for people. */
  readonly from: string;
  /** By source package, then by release (`bookworm`). */
  readonly sources: ReadonlyMap<string, Readonly<Record<string, readonly Advisory[]>>>;
}

export interface Advisory {
  readonly cve: string;
  /** Version of the source package that has the fix; left out: there is none for this release yet. */
  readonly fixed?: string;
}

export type CveState =
  /** No fix for the release yet. */
  | 'open'
  /** A newer version has the fix. */
  | 'fixable'
  /** What is installed has the fix; the kernel that runs has not. */
  | 'waiting'
  /** What is installed has the fix. */
  | 'fixed';

export interface HostCve {
  readonly cve: string;
  readonly source: string;
  readonly state: CveState;
  readonly fixed?: string;
}

/** Every vulnerability that was ever known of the source packages of a host, and how it stands there. */
export function cvesOf(inventory: InventoryState, { sources }: Advisories): readonly HostCve[] {
  const running = inventory.kernel === undefined ? undefined : trackedSource(inventory.kernel);
  return installedSources(inventory).flatMap(({ source, version }) =>
    (sources.get(source)?.[inventory.release] ?? []).map(({ cve, fixed }): HostCve => {
      if (fixed === undefined) return { cve, source, state: 'open' };
      const state = stateOf(version, fixed, running?.source === source ? running.version : undefined);
      return { cve, source, state, fixed };
    }),
  );
}

function stateOf(installed: string, fixed: string, running: string | undefined): CveState {
  if (compareDebianVersions(installed, fixed) < 0) return 'fixable';
  return running !== undefined && compareDebianVersions(running, fixed) < 0 ? 'waiting' : 'fixed';
}

/**
 * Each source package once. Of several versions the oldest counts, which some package is still of; of the kernel the newest, for
 * older ones stay installed beside it.
 */
export function installedSources({ sources }: InventoryState): readonly SourcePackage[] {
  const byName = new Map<string, SourcePackage>();
  for (const one of sources.map(trackedSource)) {
    const known = byName.get(one.source);
    const order = known === undefined ? 0 : compareDebianVersions(one.version, known.version);
    if (known === undefined || (one.source === KERNEL ? order > 0 : order < 0)) byName.set(one.source, one);
  }
  return [...byName.values()];
}

const KERNEL = 'linux';

/** Signed kernels are of a source package of their own, `linux-signed-amd64 6.1.128+1` for `linux 6.1.128-1`. */
export function trackedSource({ source, version }: SourcePackage): SourcePackage {
  if (!/^linux-signed-[a-z0-9]+$/.test(source)) return { source, version };
  return { source: KERNEL, version: version.replace(/\+([0-9]+)$/, '-$1') };
}

/** As advisories name it. */
export function trackedName(source: string): string {
  return trackedSource({ source, version: '0' }).source;
}

/** Whether a list says anything of a source package for a release. */
export function isListed(source: string, release: string, { sources }: Advisories): boolean {
  return sources.get(trackedName(source))?.[release] !== undefined;
}

/** Source packages of these hosts, as advisories name them. */
export function sourcesOf(inventories: readonly InventoryState[]): ReadonlySet<string> {
  return new Set(inventories.flatMap(({ sources }) => sources.map(({ source }) => trackedName(source))));
}

/** Vulnerabilities, each once, that the way from one version of the source package to another closes. */
export function closedBy(
  { source, from, to }: { readonly source: string; readonly from: string; readonly to: string },
  release: string,
  { sources }: Advisories,
): readonly string[] {
  const own = sources.get(trackedName(source))?.[release] ?? [];
  const closed = own.filter(
    ({ fixed }) =>
      fixed !== undefined &&
      compareDebianVersions(fixed, from) > 0 &&
      compareDebianVersions(fixed, withoutRebuild(to)) <= 0,
  );
  return [...new Set(closed.map(({ cve }) => cve))];
}

/** A package that was only built again is of the same source: `1.0-1+b2`. */
export function withoutRebuild(version: string): string {
  return version.replace(/\+b[0-9]+$/, '');
}
