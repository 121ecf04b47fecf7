import { readFileSync } from 'node:fs';
import { packageStates } from '../facts/package.ts';
import { DEFERRED, OWN_UNITS } from '../facts/updatesParse.ts';
import { NEEDRESTART, SIZES } from '../facts/updatesScript.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';
import { APT_LIBRARY, APT_SECONDS_MAX } from './packages.ts';
import { UNITS_LIBRARY } from './units.ts';
import { isPackageNeeded } from './waysIn.ts';

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

/**
 * Units that run code which is no longer on the disk, restarted once each: those that were known when it was planned, and those
 * that needrestart names when it is done, as what an update leaves is known only then.
 */
export type RestartPatched = {
  readonly units: readonly string[];
  /** Left as they are. */
  readonly never: readonly string[];
};

/** Only where something asks for it by then. `why`: packages that ask for it, for people. */
export type RebootHost = { readonly why: readonly string[] };

/** The boot of a machine, and what it starts; hardware may take minutes. Seconds. */
const REBOOT_SECONDS_MAX = 900;
/** A service that takes the whole time that systemd gives it by default, several times. Seconds. */
const RESTARTS_SECONDS_MAX = 900;

const LIBRARY: Sh = lines(
  APT_LIBRARY,
  UNITS_LIBRARY,
  { kind: 'sh', text: SIZES },
  { kind: 'sh', text: `needrestart_says() (\nset +e\n${NEEDRESTART}\n)` },
  { kind: 'sh', text: readFileSync(new URL('./patches.sh', import.meta.url), 'utf8') },
);

/** What all of it is about; nothing of it is saved or put back beside the packages. */
const OUTSTANDING = 'updates:all';

export const updatesCustody: Custody = {
  fact: 'updates',
  capture: () => sh`:`,
  restore: () => sh`:`,
};

export const upgradePatches: Operation<UpgradePatches> = {
  operation: 'patches.upgrade',
  library: LIBRARY,
  timeoutSeconds: APT_SECONDS_MAX,
  changesOtherItems: true,
  ownsNothing: true,
  // The files last, so that in a rollback they are put back once the packages are: an old package may write its own.
  items: (p) => [
    OUTSTANDING,
    ...p.packages.map((one) => `package:${one.name}` as const),
    ...p.changedConffiles.map((path) => `path:${path}` as const),
  ],
  check: (
    p,
  ) => sh`{ ${packageStates(p.packages.map(({ name, to }) => ({ fact: 'package', key: name, want: 'present', version: to })))}
} | { ! grep -q '^[?-] '; } && no_new_failed && tell_meanwhile`,
  apply: (p) => sh`require_planned ${p.packages.flatMap(({ name, from, to }) => [name, from ?? '-', to])}
OLD=${oldOnes(p).join(' ')}
upgrade_patches ${p.conffiles} ${p.packages.map(({ name, to }) => `${name}=${to}`)}`,
  afterRestore: () => sh`restore_copies`,
};

export const restartPatched: Operation<RestartPatched> = {
  operation: 'patches.restart',
  library: LIBRARY,
  timeoutSeconds: RESTARTS_SECONDS_MAX,
  items: () => [OUTSTANDING],
  ownsNothing: true,
  // an update of a library may have sshd restarted
  endangersAccess: true,
  check: () =>
    sh`[ -e "$STEP/units" ] && were_restarted $(cat "$STEP/units") && tell_left ${OWN_UNITS.source} ${DEFERRED.source}`,
  apply: (p) => sh`if [ ! -e "$STEP/units" ]; then
needrestart_says > "$STEP/named" || :
named_units | grep -Ev -e ${OWN_UNITS.source} -e ${DEFERRED.source} | left_alone ${p.never} | note_units ${p.units}
fi
restart_patched $(cat "$STEP/units")`,
  afterRestore: () => sh`[ ! -e "$STEP/units" ] || restart_again $(cat "$STEP/units")`,
};

/** The run is cut by it; whoever follows the run starts it again, and it goes on after this step. */
export const rebootHost: Operation<RebootHost> = {
  operation: 'patches.reboot',
  library: LIBRARY,
  timeoutSeconds: REBOOT_SECONDS_MAX,
  items: () => [OUTSTANDING],
  ownsNothing: true,
  check: () => sh`if was_rebooted; then came_up; else not_needed; fi`,
  apply: () => sh`reboot_once`,
};

/** All of them where one is a way in, as they may fit one another alone. */
function oldOnes({ packages }: UpgradePatches): readonly string[] {
  const names = packages.flatMap(({ name, from }) => (from === null ? [] : [name]));
  return names.some(isPackageNeeded) ? names : [];
}
