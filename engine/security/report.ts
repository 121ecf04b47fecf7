import { type Closed, closedByEach } from '../kinds/patchPolicy/closed.ts';
import type { Position } from '../spec/manifest.ts';
import type { Advisories } from './advisories.ts';
import { type FleetCves, fleetCves, type HostCves, hostCves } from './fleetCves.ts';
import type {
  FailingControl,
  HardeningState,
  HostSecurity,
  OutstandingUpdate,
  Patches,
  ReadSecurity,
  SeenPort,
} from './host.ts';
import { unsureOf } from './listsTold.ts';
import { mendedBy } from './mended.ts';
import { type Locate, placeOf } from './places.ts';

/** The security of a repository's servers, as they were read. JSON only. */
export interface SecurityReport {
  readonly kind: 'security-report';
  /** When it was made, of servers that were read just before; ISO time. */
  readonly madeAt: string;
  /** Version of the engine. */
  readonly version: string;
  /** The commit whose documents were compared with; left out for a directory. */
  readonly commit?: string;
  readonly fleet: Fleet;
  readonly hosts: readonly ReportedHost[];
  readonly unread: readonly UnreadHost[];
}

/** `known`: as earlier readings saw it. */
export interface UnreadHost {
  readonly host: string;
  readonly problem: string;
  readonly known?: ReportedHost;
}

export interface ReportedHost {
  readonly host: string;
  readonly hardening: readonly ReportedHardening[];
  readonly exposure: ReadSecurity['exposure'];
  readonly patches: Omit<Patches, 'security'> & { readonly security: readonly ReportedUpdate[] };
  /** Why it may have more outstanding than is told, in sentences; none where all of it is known. */
  readonly unsure: readonly string[];
  readonly cves: HostCves;
  /** Where it could not be read now: when it was, ISO time. */
  readonly asOf?: string;
}

export type ReportedHardening = Omit<HardeningState, 'failing'> & {
  /** `at` is left out where the commit has no document about the server. */
  readonly failing: readonly (FailingControl & { readonly at?: Place })[];
};

export type ReportedUpdate = OutstandingUpdate & {
  /** Vulnerabilities that it closes, as far as is known: what a plan says of it. */
  readonly cves: Closed['cves'];
  /** Who says so: the list of vulnerabilities, or changelogs. */
  readonly cvesBy: Closed['by'];
};

/** Where the document says so. */
export type Place = Pick<Position, 'file' | 'line'>;

/** Sums over all servers that were read. */
export interface Fleet {
  /** Servers. */
  readonly read: number;
  readonly unread: number;
  readonly withoutHardening: readonly string[];
  readonly withoutFirewall: readonly string[];
  readonly controls: Counted;
  readonly bySeverity: Readonly<Record<'critical' | 'high' | 'medium' | 'low', Counted>>;
  readonly waivers: number;
  readonly expiredWaivers: number;
  /** Ports of addresses that answer although no document lets the one who tried in; of servers with a Firewall. */
  readonly undeclaredPorts: number;
  /** Those that answer, and of which it was not judged whether a document does. */
  readonly unjudgedPorts: number;
  /** Security updates that are outstanding, over all servers. */
  readonly securityUpdates: number;
  readonly waitingForReboot: readonly string[];
  /** Servers that may have more outstanding than is told. */
  readonly updatesUnknown: readonly string[];
  readonly cves: FleetCves;
}

export interface Counted {
  readonly passed: number;
  readonly applicable: number;
}

export interface ReportOptions {
  /** Epoch ms. */
  readonly now: number;
  /** Of the engine. */
  readonly version: string;
  readonly commit?: string;
  readonly locate: Locate;
  /** Left out where they could not be had. */
  readonly advisories?: Advisories;
}

/** `hosts`: in the order of the repository. */
export function securityReport(hosts: readonly HostSecurity[], options: ReportOptions): SecurityReport {
  const { commit, advisories, now, version } = options;
  const read = hosts.flatMap((host) => (host.kind === 'read' ? [host] : []));
  const unread = hosts.flatMap((host) => (host.kind === 'unread' ? [unreadHost(host, options)] : []));
  const reported = read.map((host) => reportedHost(host, options));
  return {
    kind: 'security-report',
    madeAt: new Date(now).toISOString(),
    version,
    ...(commit === undefined ? {} : { commit }),
    fleet: { ...fleetOf(reported, unread.length), cves: fleetCves(read, advisories) },
    hosts: reported,
    unread,
  };
}

function unreadHost(
  { host, problem, known }: Extract<HostSecurity, { kind: 'unread' }>,
  options: ReportOptions,
): UnreadHost {
  return { host, problem, ...(known === undefined ? {} : { known: reportedHost(known, options) }) };
}

function reportedHost(read: ReadSecurity, { locate, advisories }: ReportOptions): ReportedHost {
  const { host, hardening, exposure, patches, inventory, asOf } = read;
  return {
    host,
    hardening: hardening.map((state) => ({
      ...state,
      failing: state.failing.map((control) => {
        const pointer = `/spec/overrides/${control.id}`;
        const at = placeOf(locate, { host, document: state.document, pointer });
        return { ...control, ...(at && { at: { file: at.file, line: at.line } }) };
      }),
    })),
    exposure,
    patches: { ...patches, security: reportedUpdates(patches.security, inventory.release, advisories) },
    unsure: unsureOf(host, patches),
    cves: hostCves(read, advisories),
    ...(asOf === undefined ? {} : { asOf }),
  };
}

function reportedUpdates(
  updates: readonly OutstandingUpdate[],
  release: string,
  advisories: Advisories | undefined,
): readonly ReportedUpdate[] {
  const mended = advisories && mendedBy(updates, release, advisories);
  const all = updates.map(({ name, source, changelog: cves = [] }) => ({ name, source, cves }));
  const closed = closedByEach(all, mended);
  return updates.map((update, i) => {
    const { by = 'changelog', cves = [] } = closed[i] ?? {};
    return { ...update, cves, cvesBy: by };
  });
}

function fleetOf(hosts: readonly ReportedHost[], unread: number): Omit<Fleet, 'cves'> {
  const states = hosts.flatMap(({ hardening }) => hardening);
  const waivers = [...distinctWaivers(hosts).values()];
  const scores = states.map(({ score }) => score);
  const of = (severity: keyof Fleet['bySeverity']) =>
    sum(scores.map(({ bySeverity }) => bySeverity[severity]));
  return {
    read: hosts.length,
    unread,
    withoutHardening: hosts.filter(({ hardening }) => hardening.length === 0).map(({ host }) => host),
    withoutFirewall: hosts.filter(({ exposure }) => exposure.firewall === undefined).map(({ host }) => host),
    controls: sum(scores),
    bySeverity: { critical: of('critical'), high: of('high'), medium: of('medium'), low: of('low') },
    waivers: waivers.length,
    expiredWaivers: waivers.filter(({ expired }) => expired).length,
    undeclaredPorts: hosts.reduce((count, { exposure }) => count + undeclaredPorts(exposure).length, 0),
    unjudgedPorts: hosts.reduce((count, { exposure }) => count + unjudgedPorts(exposure).length, 0),
    securityUpdates: hosts.reduce((count, { patches }) => count + securityUpdates(patches), 0),
    waitingForReboot: hosts.filter(({ patches }) => patches.reboot.required).map(({ host }) => host),
    updatesUnknown: hosts.filter(({ unsure }) => unsure.length > 0).map(({ host }) => host),
  };
}

/** How many are outstanding, told one by one or not. */
export function securityUpdates({
  security,
  moreSecurity = 0,
}: Pick<Patches, 'security' | 'moreSecurity'>): number {
  return security.length + moreSecurity;
}

function sum(parts: readonly Counted[]): Counted {
  return {
    passed: parts.reduce((total, { passed }) => total + passed, 0),
    applicable: parts.reduce((total, { applicable }) => total + applicable, 0),
  };
}

type Waivers = HardeningState['waivers'];

type DistinctWaiver = Waivers[number] & { readonly document: string; readonly host: string };

/** One waiver stands for all servers of its document; it is over where one of them says so. */
export function distinctWaivers(
  hosts: readonly Pick<ReportedHost, 'host' | 'hardening'>[],
): ReadonlyMap<string, DistinctWaiver> {
  const all = hosts.flatMap(({ host, hardening }) =>
    hardening.flatMap(({ document, waivers }) => waivers.map((waiver) => ({ ...waiver, document, host }))),
  );
  const distinct = new Map<string, DistinctWaiver>();
  for (const waiver of all) {
    const key = `${waiver.document} ${waiver.id}`;
    if (distinct.get(key)?.expired !== true && (waiver.expired || !distinct.has(key)))
      distinct.set(key, waiver);
  }
  return distinct;
}

/** Open although the Firewall document says otherwise; where there is none, nothing is declared and this says nothing. */
export function undeclaredPorts({ firewall, ports }: ReadSecurity['exposure']): readonly SeenPort[] {
  return firewall === undefined ? [] : ports.filter(({ open, declared }) => open && declared === false);
}

/** Open, and not judged. */
export function unjudgedPorts({ ports }: Pick<ReadSecurity['exposure'], 'ports'>): readonly SeenPort[] {
  return ports.filter(({ open, notJudged }) => open && notJudged !== undefined);
}
