import type { OriginMatch } from '../../facts/updates.ts';
import type { Probe } from '../kind.ts';

/** What a document wants of a host. */
export interface ResolvedPatchPolicy {
  readonly updates: PatchRules;
  /** Names of packages that are held. */
  readonly holds: readonly string[];
  readonly probes: readonly Probe[];
}

/** The desired state of the item `updates:all`. */
export interface PatchRules {
  readonly which: 'security' | 'all';
  readonly securityOrigins: readonly OriginMatch[];
  /** Names and patterns that are left to people. */
  readonly exclude: readonly string[];
  /** Packages whose version another document of the host says, sorted, each with that document. */
  readonly pinned: readonly { readonly name: string; readonly by: string }[];
  readonly conffiles: 'keep' | 'take' | 'ask';
  readonly restart: 'needed' | 'never';
  readonly restartNever: readonly string[];
  readonly reboot: 'never' | 'ifRequired' | 'ask';
}
