import { readFileSync } from 'node:fs';
import { packageStates } from '../facts/package.ts';
import { SIZES } from '../facts/updatesScript.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Operation } from './operation.ts';
import { APT_LIBRARY, APT_SECONDS_MAX } from './packages.ts';
import { UNITS_LIBRARY } from './units.ts';

/**
 * Updates of installed packages to exactly these versions, in one apt run. Nothing else is installed, nothing is removed: apt is held
 * to what was planned.
 */
export type UpgradePatches = {
  readonly packages: readonly {
    /** As in `Update`. */
    readonly name: string;
    /** null: it comes along as a new package. */
    readonly from: string | null;
    readonly to: string;
    /** `URI SUITE/COMPONENT` when planned. */
    readonly origin: string;
  }[];
  /** What happens to a configuration file that both the administrator and the new version have changed. */
  readonly conffiles: 'keep' | 'take';
  /** With `take`: those that the administrator has changed (`Update.conffiles`), so that they can be put back. Else empty. */
  readonly changedConffiles: readonly string[];
};

/** Units that run code which is no longer on the disk; restarted once each. */
export type RestartPatched = { readonly units: readonly string[] };

/** `why`: packages that ask for it, for people. */
export type RebootHost = { readonly why: readonly string[] };

/** The boot of a machine, and what it starts; hardware may take minutes. Seconds. */
const REBOOT_SECONDS_MAX = 900;
/** A service that takes the whole time that systemd gives it by default, several times. Seconds. */
const RESTARTS_SECONDS_MAX = 900;

const LIBRARY: Sh = lines(
  APT_LIBRARY,
  UNITS_LIBRARY,
  { kind: 'sh', text: SIZES },
  { kind: 'sh', text: readFileSync(new URL('./patches.sh', import.meta.url), 'utf8') },
);

export const upgradePatches: Operation<UpgradePatches> = {
  operation: 'patches.upgrade',
  library: LIBRARY,
  timeoutSeconds: APT_SECONDS_MAX,
  changesOtherItems: true,
  // The files last, so that in a rollback they are put back once the packages are: an old package may write its own.
  items: (p) => [
    ...p.packages.map((one) => `package:${one.name}` as const),
    ...p.changedConffiles.map((path) => `path:${path}` as const),
  ],
  check: (
    p,
  ) => sh`{ ${packageStates(p.packages.map(({ name, to }) => ({ fact: 'package', key: name, want: 'present', version: to })))}
} | { ! grep -q '^[?-] '; } && no_new_failed`,
  apply: (p) => sh`upgrade_patches ${p.conffiles} ${p.packages.map(({ name, to }) => `${name}=${to}`)}`,
};

export const restartPatched: Operation<RestartPatched> = {
  operation: 'patches.restart',
  library: LIBRARY,
  timeoutSeconds: RESTARTS_SECONDS_MAX,
  items: () => [],
  check: (p) => sh`were_restarted ${p.units}`,
  apply: (p) => sh`restart_patched ${p.units}`,
  afterRestore: (p) => sh`restart_again ${p.units}`,
};

/** The run is cut by it; whoever follows the run starts it again, and it goes on after this step. */
export const rebootHost: Operation<RebootHost> = {
  operation: 'patches.reboot',
  library: LIBRARY,
  timeoutSeconds: REBOOT_SECONDS_MAX,
  items: () => [],
  check: () => sh`came_up`,
  apply: () => sh`reboot_once`,
};
