import { lines, sh } from '../shell/sh.ts';
import { encodeKey, type Fact } from './fact.ts';
import { parseUpdates } from './updatesParse.ts';
import { HAS_APT, updatesScript } from './updatesScript.ts';
import { selectionOf } from './updatesSelection.ts';

/** What is outstanding on a host that has apt. */
export interface UpdatesQuery {
  readonly fact: 'updates';
  readonly key: 'all';
  /** `security`: only versions that a security archive has. Left out: nothing is asked but whether there is an apt, as the host does when it compares the item. */
  readonly updates?: 'security' | 'all';
  /** Names, or patterns with `*` and `?`, that are left out. */
  readonly exclude?: readonly string[];
  /** Archives that count as security archives beside the distribution's. */
  readonly securityOrigins?: readonly OriginMatch[];
  /** `ask`: what may ask about a configuration file that was changed is left out too, with all of its source. */
  readonly conffiles?: 'ask';
  /** Names of services, or patterns with `*`, that are looked for among the host's units. */
  readonly services?: readonly string[];
}

/** Fields of a Release file, all of which must be equal (apt_preferences(5)). At least one is given. */
export interface OriginMatch {
  readonly origin?: string;
  readonly label?: string;
  readonly suite?: string;
  readonly codename?: string;
}

export interface UpdatesState {
  /** The host has apt. */
  readonly present: boolean;
  /** VERSION_CODENAME of os-release(5), such as `bookworm`; left out where the host has none. */
  readonly release?: string;
  /** dpkg's own words where packages are half installed, or a run of it was cut. */
  readonly dpkgProblem?: string;
  /** apt's own words where it cannot plan at all; `updates` is then empty. */
  readonly aptProblem?: string;
  /** Who holds a lock of dpkg or apt. */
  readonly locks: readonly { readonly pid: number; readonly program: string }[];
  /** Seconds since any archive's package lists were read; left out when there are none. */
  readonly listsAgeSeconds?: number;
  /** The archives that apt is to read, in its order; left out where apt does not name them, and by engines before. */
  readonly sources?: readonly AptSource[];
  /** Those of the query's `securityOrigins` that no archive of the host is; left out where none is. */
  readonly unmatchedOrigins?: readonly OriginMatch[];
  /** Everything that apt has a newer version of. */
  readonly updates: readonly Update[];
  /** What apt would do for the selected ones; it never removes a package. */
  readonly changes: readonly PackageChange[];
  /** Selected, yet not among the changes. */
  readonly keptBack: readonly KeptBack[];
  readonly disk: readonly FileSystem[];
  /** File systems without room for the changes. */
  readonly shortages: readonly Shortage[];
  readonly restarts: Restarts;
  readonly reboot: Reboot;
  /** Units that have failed. */
  readonly failedUnits: readonly string[];
  /** unattended-upgrades installs updates by itself, whatever a document says. */
  readonly unattended?: true;
  /** Those of the query's services that no unit of the host is; left out where none is. */
  readonly unknownServices?: readonly string[];
}

/** An archive that sources.list(5) names; one for each Release file. */
export interface AptSource {
  /** Without a password. */
  readonly uri: string;
  /** As the server's sources name it: `bookworm-security`, `./`. */
  readonly suite: string;
  /** apt has something of it. */
  readonly read: boolean;
  /** Its Release file says that it is one of security updates. */
  readonly security: boolean;
  /** Seconds since the archive answered apt, be it that there is nothing new; left out where nobody notes that, as of one without a Release file. */
  readonly ageSeconds?: number;
  /** Seconds since its Release file is not valid any more (Valid-Until); left out while it is, or where it does not say. */
  readonly expiredSeconds?: number;
}

export interface Update {
  /** `name`, or `name:architecture` where that is not the host's own; what apt and `package:` items take. */
  readonly name: string;
  readonly from: string;
  /** The version of the selected sort; apt's own choice where none is. */
  readonly to: string;
  /** apt's own choice. */
  readonly candidate: string;
  readonly source: string;
  readonly sourceVersion: string;
  /**
   * `held`: by apt-mark; `excluded`: by the query; `other`: no version of it is of the selected sort; `asked`: it, or another one of
   * its source, may ask about a configuration file, which the query leaves to people.
   */
  readonly state: 'selected' | 'held' | 'excluded' | 'other' | 'asked';
  /** Where the installed version can be had again for a rollback: an archive, this host's cache, or nowhere. */
  readonly previous: 'archive' | 'cache' | 'gone';
  /** A version newer than the installed one is in a security archive. */
  readonly security: boolean;
  /** Newer than the installed one and not above apt's choice, newest first. */
  readonly versions: readonly AvailableVersion[];
  /** Named by the new version's changelog since the installed one, sorted; left out where the host does not have the new file yet. */
  readonly cves?: readonly string[];
  /** Configuration files that are not as the package brought them, or were deleted: an update may ask about them. */
  readonly conffiles: readonly string[];
}

export interface AvailableVersion {
  readonly version: string;
  readonly archives: readonly Archive[];
}

/** As apt-cache(8) policy tells it: the Release file's fields. Empty where the file has none. */
export interface Archive {
  readonly uri: string;
  /** `bookworm-security/main`. */
  readonly place: string;
  readonly origin: string;
  readonly label: string;
  readonly suite: string;
  readonly codename: string;
  readonly security: boolean;
}

export interface PackageChange {
  readonly name: string;
  /** Left out: it is not installed yet. */
  readonly from?: string;
  readonly to: string;
  /** That have the version, where the package is not installed yet; of others its update tells them. */
  readonly archives?: readonly Archive[];
  /** Of the .deb file; 0 where it is in the host's cache already. */
  readonly downloadBytes: number;
  /** Once unpacked. */
  readonly installedBytes: number;
  /** What it takes now. */
  readonly installedBytesBefore: number;
}

export interface KeptBack {
  readonly name: string;
  readonly to: string;
  /** apt's own words; empty where it gives no reason, as for phased updates. */
  readonly why: string;
}

/** The file system that `path` is on. */
export interface FileSystem {
  readonly path: string;
  readonly mount: string;
  readonly freeBytes: number;
}

/** `needBytes`: what is downloaded and unpacked there, and a reserve that stays free. */
export interface Shortage {
  readonly mount: string;
  readonly needBytes: number;
  readonly freeBytes: number;
}

/** `vulnerable`: a version with known holes, which is not run. */
export type Restarts =
  | {
      readonly kind: 'known';
      readonly version: string;
      readonly units: readonly string[];
      /** Units that must not be restarted while the host is in use, such as dbus.service: they wait for a reboot. */
      readonly deferred: readonly string[];
      /** Units that a restart changes nothing for: only processes from before their last start are concerned (KillMode=process). Left out where none is. */
      readonly leftovers?: readonly string[];
      /** Units of one run, such as a backup, which a restart would cut and wait for. Left out where none is. */
      readonly oneshots?: readonly string[];
    }
  | { readonly kind: 'absent' }
  | { readonly kind: 'vulnerable' | 'failed'; readonly version: string };

export interface Reboot {
  readonly required: boolean;
  /** Packages that ask for it, and a newer kernel. */
  readonly why: readonly string[];
  readonly kernelRunning: string;
  /** Newest in /boot; left out where none is, as in a container. */
  readonly kernelInstalled?: string;
  /** Largest initrd in /boot: what a new kernel takes there as well. */
  readonly initrdBytes: number;
}

export const updatesFact: Fact<UpdatesQuery, UpdatesState> = {
  fact: 'updates',
  read: (queries) =>
    lines(
      ...queries.flatMap((query) => [
        sh`echo ${`= ${encodeKey(query.key)}`}`,
        query.updates === undefined ? HAS_APT : updatesScript(selectionOf(query)),
      ]),
    ),
  parse: parseUpdates,
};
