import type { InventoryState } from '../facts/inventory.ts';
import type { OriginMatch, Reboot, Restarts } from '../facts/updates.ts';
import type { Profile, Severity } from '../kinds/hardening/control.ts';
import type { Score } from '../kinds/hardening/findings.ts';
import type { Waiver } from '../kinds/hardening/spec.ts';
import type { StaleArchive } from '../kinds/patchPolicy/archives.ts';

/** What was read of one server for the security report. JSON only: the store keeps the newest of each server. */
export type HostSecurity =
  | {
      readonly kind: 'read';
      readonly host: string;
      /** One for each Hardening document of the server. */
      readonly hardening: readonly HardeningState[];
      readonly exposure: Exposure;
      readonly patches: Patches;
      readonly inventory: InventoryState;
      /** Where it could not be read now: when it was, ISO time. */
      readonly asOf?: string;
    }
  /** The server could not be read; the sentence says why. `known`: as earlier readings saw it, where there were any. */
  | {
      readonly kind: 'unread';
      readonly host: string;
      readonly problem: string;
      readonly known?: ReadSecurity;
    };

export type ReadSecurity = Extract<HostSecurity, { kind: 'read' }>;

export interface HardeningState {
  /** `Hardening/base` */
  readonly document: string;
  readonly profile: Profile;
  readonly score: Score;
  /** Controls that apply and do not hold, in the order of the catalogue. */
  readonly failing: readonly FailingControl[];
  /** Ids of those that hold; left out by engines before. */
  readonly passed?: readonly string[];
  /** `why`: without its full stop, as after "because". Left out by engines before. */
  readonly notApplicable?: readonly { readonly id: string; readonly why: string }[];
  readonly waivers: readonly (Waiver & { readonly expired: boolean })[];
  /** Why no control means anything here; nothing was judged then. */
  readonly wrongSystem?: string;
}

export interface FailingControl {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  /** What only a person can mend, a sentence without its full stop. */
  readonly attention?: string;
}

export interface Exposure {
  /** The Firewall document that declares what is open; left out: none does. */
  readonly firewall?: string;
  /** Who tried: the name of a server, or `the engine`. Left out where nobody could reach anything; `why` says so. */
  readonly from?: string;
  readonly why?: string;
  /** By the documents there is no server that could look, nor can the engine. */
  readonly nobody?: true;
  /** Where nobody could look now: when somebody did, ISO time. */
  readonly asOf?: string;
  readonly ports: readonly SeenPort[];
  /** Ports that were left out for the bound. */
  readonly more: number;
  /** Addresses that the host has and its Server document does not name, so nobody tried them. */
  readonly unseen: readonly string[];
}

/** One TCP port of one address, as others see it. */
export interface SeenPort {
  readonly address: string;
  readonly port: number;
  /** What listens there; empty where the host does not say. */
  readonly program: string;
  readonly open: boolean;
  /** Whoever tried could not have reached it, and nobody earlier has: that it is not open means nothing. */
  readonly unknown?: true;
  /** Where whoever tried could not have reached it now: when somebody did, ISO time, and who. */
  readonly asOf?: string;
  readonly from?: string;
  /** The Firewall document lets whoever tried in; left out where that was not judged. */
  readonly declared?: boolean;
  readonly notJudged?: NotJudged;
}

export type NotJudged =
  /** The rules that are about it name more addresses and interfaces than can be gone through in time. */
  | 'too-many-rules'
  /** They let some in and others not, and by which address it was tried is not known. */
  | 'unknown-sender'
  /** A port forward leads it on, and a rule of `forward` denies that or not, by where it leaves. */
  | 'unknown-way-out';

export interface Patches {
  /** The PatchPolicy document that the server is a target of; left out: none is. */
  readonly policy?: string;
  /** Why nothing is known: no apt, or its own words. */
  readonly problem?: string;
  /** dpkg's own words where it is not in order, or at work; a run waits for it and repairs it first. */
  readonly dpkgProblem?: string;
  /** apt could not say what is outstanding, or has no package lists, and no earlier reading knew: that nothing is told means nothing. */
  readonly unknown?: true;
  /** Where apt could not say now what is outstanding: when it did, ISO time. */
  readonly asOf?: string;
  /** Outstanding versions that a security archive has; at most `SECURITY_MAX`. */
  readonly security: readonly OutstandingUpdate[];
  /** How many more there are, where that bound left some out. */
  readonly moreSecurity?: number;
  /** Other packages with a newer version. */
  readonly others: number;
  readonly restarts: Restarts;
  readonly reboot: Pick<Reboot, 'required' | 'why'>;
  /** Seconds since the host read package lists of any archive; left out where there are none. */
  readonly listsAgeSeconds?: number;
  /** Archives whose newer updates are not known, while others are read; at most `STALE_MAX`. Left out where there is none, and by engines before. */
  readonly staleArchives?: readonly StaleArchive[];
  /** No archive that apt reads is one of security updates: that none is outstanding means nothing. Left out by engines before. */
  readonly noSecurityArchive?: true;
  /** What the PatchPolicy names in `securityOrigins` and no archive of the server is; left out where there is none. */
  readonly unmatchedOrigins?: readonly OriginMatch[];
}

export interface OutstandingUpdate {
  readonly name: string;
  readonly from: string;
  /** Newest version of a security archive. */
  readonly to: string;
  readonly source: string;
  /** Of the source package that is installed; left out by engines before. */
  readonly sourceVersion?: string;
  /** CVE ids of its own changelog since the installed version; left out where that was not asked for. */
  readonly changelog?: readonly string[];
  /** Where it comes from: `Debian-Security bookworm-security/main`; left out by engines before, or where that is not known. */
  readonly archive?: string;
  /** Why it does not come by itself, where something keeps it back. `asked`: it may ask about a configuration file. */
  readonly held?: 'held' | 'excluded' | 'asked';
  /** apt's own reason to keep it back. */
  readonly keptBack?: string;
}
