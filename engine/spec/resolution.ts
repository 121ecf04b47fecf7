import type { ResolvedFirewall } from '../kinds/firewall/spec.ts';
import type { ResolvedHardening } from '../kinds/hardening/spec.ts';
import type { ResolvedPatchPolicy } from '../kinds/patchPolicy/spec.ts';
import type { Rollout } from '../rollout/rollout.ts';
import type { ResolvedConfiguration } from './configuration.ts';
import type { DocumentRef, Position, SpecError } from './manifest.ts';
import type { PolicyWindow } from './types.generated.ts';

/** The desired state of a repository at one commit, host by host. Pure data, the same for the same files. */
export interface Resolution {
  readonly kind: 'resolution';
  /** Sorted by name. */
  readonly hosts: readonly ResolvedHost[];
  /** Contents by sha256 (hex) of all files, units, templates and keys of all hosts. */
  readonly payloads: ReadonlyMap<string, Uint8Array>;
  readonly errors: readonly SpecError[];
  /** What is odd and forbids nothing; left out where there is nothing. */
  readonly warnings?: readonly SpecError[];
}

export interface ResolvedHost {
  readonly kind: 'resolved-host';
  readonly name: string;
  readonly server: ResolvedServer;
  /** Of its Server document. No part of the desired state; left out of a host that stands in no file. */
  readonly position?: Position;
  /** Names of the servers that are reached through it, sorted; left out where there are none. */
  readonly jumpFor?: readonly string[];
  /** IP addresses that other servers see it under, where the document names them. No part of the desired state. */
  readonly addresses?: readonly string[];
  /** Ordered so that a document comes after all that it depends on. */
  readonly documents: readonly ResolvedDocument[];
}

export interface ResolvedServer {
  readonly name: string;
  /** Host name or IP address. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly become: 'sudo' | 'none';
  /** Private network whose workers reach the host. */
  readonly site: string;
  /** Pinned keys as `TYPE BASE64`; or the one that was seen first. Empty: not known yet, so nothing can be done there. */
  readonly hostKeys: readonly string[];
  /** The key is not pinned; the machine showed it at this time (ISO) and is known by it since. */
  readonly firstSeen?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly jump?: ResolvedServer;
}

/**
 * The spec of each kind that changes servers, for one host. A new kind is added here and in `SourceSpecs` of documents.ts;
 * kinds/registry.ts then does not compile until it has an entry.
 */
export interface ResolvedSpecs {
  readonly Configuration: ResolvedConfiguration;
  readonly Firewall: ResolvedFirewall;
  readonly Hardening: ResolvedHardening;
  readonly PatchPolicy: ResolvedPatchPolicy;
}

export type PlannedKind = keyof ResolvedSpecs;
export type ResolvedSpec = ResolvedSpecs[PlannedKind];

/** A document as it is on one host; `kind` tells the type of its spec. */
export type ResolvedDocument<K extends PlannedKind = PlannedKind> = {
  readonly [P in K]: ResolvedCommon & { readonly kind: P; readonly spec: ResolvedSpecs[P] };
}[K];

/** What is the same for all kinds. */
export interface ResolvedCommon {
  readonly ref: DocumentRef;
  /** Depth by `dependsOn` across all documents: every host finishes wave 0 before any starts wave 1. */
  readonly wave: number;
  /** What happens to items that leave the document: put back as found, or left as they are. */
  readonly onRemoval: 'restore' | 'keep';
  /** Where the document declares one. How the change gets there is no part of the desired state. */
  readonly rollout?: Rollout;
  /** Left out: what differs is reported. No part of the desired state either. */
  readonly drift?: DriftSettings;
  /** Left out: nothing of it is done without a person. No part of the desired state either. */
  readonly maintenance?: Maintenance;
  readonly position: Position;
  /** Of the places that its kind names, by pointer below /spec. No part of the desired state. */
  readonly places?: Readonly<Record<string, Position>>;
}

/** The merge of the document is the approval of what it declares; what comes up later is done in this window. */
export interface Maintenance {
  readonly window: PolicyWindow;
  /** It declares that servers may reboot for it. */
  readonly reboots: boolean;
}

/** What becomes of changes that somebody makes by hand. */
export interface DriftSettings {
  readonly action: 'report' | 'correct';
  /** Patterns of items, as `isIgnored` of drift/ reads them. */
  readonly ignore: readonly string[];
}

/** Names of hosts, each list sorted. */
export interface HostsDiff {
  readonly changed: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}
