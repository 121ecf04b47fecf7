import type { Probe } from '../kinds/kind.ts';
import type { SecretUse } from './secrets.ts';

/**
 * A Configuration's spec for ONE host: variables and templates resolved, repository files replaced by payloads,
 * defaults filled in, durations in seconds. JSON only. Keys of the maps are identities (paths, names).
 */
export interface ResolvedConfiguration {
  readonly aptRepositories: Readonly<Record<string, ResolvedAptRepository>>;
  readonly packages: Readonly<Record<string, ResolvedPackage>>;
  readonly directories: Readonly<Record<string, ResolvedDirectory>>;
  readonly files: Readonly<Record<string, ResolvedFile>>;
  readonly groups: Readonly<Record<string, ResolvedGroup>>;
  readonly users: Readonly<Record<string, ResolvedUser>>;
  readonly units: Readonly<Record<string, ResolvedUnit>>;
  /** Kernel setting to value, both as sysctl prints them. */
  readonly sysctl: Readonly<Record<string, string>>;
  /** IP address to host names, the canonical one first. */
  readonly hostsEntries: Readonly<Record<string, readonly string[]>>;
  /** Name in the time zone database, such as `Europe/Berlin`. */
  readonly timezone?: string;
  /** Variables of locale.conf(5), such as LANG. */
  readonly locale?: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, ResolvedScript>>;
  readonly probes: readonly Probe[];
}

/** Bytes that travel beside the plan: `Resolution.payloads` holds them by `sha256`. */
export interface Payload {
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** UTF-8 without NUL, so a unified diff of it makes sense. */
  readonly text: boolean;
  /** Left out where there are none: the bytes are a text with placeholders, and the host gets them filled in. */
  readonly sealed?: readonly SecretUse[];
}

/** Units to act upon once an item has changed; sorted, without repeats, a restarted unit is not reloaded as well. */
export interface Notify {
  readonly reload: readonly string[];
  readonly restart: readonly string[];
}

export interface ResolvedAptRepository {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  /** Empty only where every suite ends in `/` (a flat repository). */
  readonly components: readonly string[];
  /** Empty: all that the host runs. */
  readonly architectures: readonly string[];
  readonly key: Payload;
  /** The key is ASCII armor (`.asc`), else binary (`.gpg`). */
  readonly armored: boolean;
}

export type ResolvedPackage =
  | { readonly state: 'present'; readonly version?: string; readonly hold: boolean }
  | { readonly state: 'absent' };

/** Modes are four octal digits, such as `0644`. */
interface Ownership {
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

export type ResolvedDirectory =
  | (Ownership & { readonly state: 'directory'; readonly notify: Notify })
  | { readonly state: 'absent'; readonly notify: Notify };

export type ResolvedFile =
  | (Ownership & { readonly state: 'file'; readonly content: Payload; readonly notify: Notify })
  | { readonly state: 'link'; readonly linkTo: string; readonly notify: Notify }
  | { readonly state: 'absent'; readonly notify: Notify };

export type ResolvedGroup =
  | { readonly state: 'present'; readonly gid?: number; readonly system: boolean }
  | { readonly state: 'absent' };

/** What is left out is not managed: an existing user keeps it, a new one gets useradd(8)'s default. */
export type ResolvedUser =
  | {
      readonly state: 'present';
      readonly uid?: number;
      /** Primary group. Left out for a new user: a group of the user's own name. */
      readonly group?: string;
      /** Supplementary groups, exactly these. */
      readonly groups?: readonly string[];
      readonly shell?: string;
      readonly home?: string;
      readonly comment?: string;
      readonly system: boolean;
      /** Exactly these lines in ~/.ssh/authorized_keys; an empty list empties it. */
      readonly authorizedKeys?: readonly string[];
    }
  | { readonly state: 'absent' };

export type ResolvedUnit =
  | {
      readonly state: 'present';
      /** Text of /etc/systemd/system/NAME; left out where a package brings the unit. */
      readonly content?: Payload;
      /** Left out: not managed. */
      readonly enabled?: boolean;
      readonly running?: boolean;
    }
  | { readonly state: 'absent' };

/** The way out: shell text by the user, shown in full in the plan. */
export interface ResolvedScript {
  /** Exits 0 when there is nothing to do. */
  readonly check: string;
  readonly apply: string;
  readonly undo?: string;
  readonly timeoutSeconds: number;
}
