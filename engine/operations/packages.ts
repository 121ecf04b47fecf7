import { readFileSync } from 'node:fs';
import { type PackageQuery, packageStates } from '../facts/package.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';
import { isPackageIn, isPackageNeeded, PACKAGES_IN } from './waysIn.ts';

/** One apt run for all of them. */
export type InstallPackages = {
  readonly packages: readonly {
    readonly name: string;
    /** Exact version or a prefix with `*` at its end; null for whatever apt chooses. */
    readonly version: string | null;
    readonly hold: boolean;
    /** `URI SUITE/COMPONENT` when planned; null when not known before a repository is added or lists are read. */
    readonly origin: string | null;
  }[];
  /** Packages that must go for it; apt is held to these. */
  readonly removes: readonly string[];
  readonly along?: Along;
  /** Left out: packages that are recommended come along as apt is set up. */
  readonly recommends?: false;
};

/**
 * Ways in (`waysIn.ts`) that come or get another version along with the packages; null where that is known only once a repository is
 * added or lists are read. Left out: none, and apt is held to that.
 */
export type Along = readonly string[] | null;

export type RemovePackages = {
  readonly packages: readonly string[];
  /** Packages that go with them, because they need them. */
  readonly removes: readonly string[];
  readonly along?: Along;
};

/** Upper bound of one apt run, downloads and the wait for its lock included. Seconds. */
export const APT_SECONDS_MAX = 1800;

export const APT_LIBRARY: Sh = lines(
  { kind: 'sh', text: readFileSync(new URL('./apt.sh', import.meta.url), 'utf8') },
  { kind: 'sh', text: readFileSync(new URL('./aptCustody.sh', import.meta.url), 'utf8') },
  { kind: 'sh', text: readFileSync(new URL('./aptKept.sh', import.meta.url), 'utf8') },
  { kind: 'sh', text: readFileSync(new URL('./aptAlong.sh', import.meta.url), 'utf8') },
);

/** Names as apt prints them in lists: without the architecture. */
const bare = (name: string): string => name.replace(/:.*$/, '');

export const packageCustody: Custody = {
  fact: 'package',
  library: APT_LIBRARY,
  capture: (name, save) => sh`capture_package ${name} ${save}`,
  restore: (items) =>
    lines(
      sh`KEEP=${items.some(({ key }) => isPackageNeeded(key)) ? 'yes' : 'no'}`,
      { kind: 'sh', text: ['restore_packages', ...items.map((i) => sh`${i.key} ${i.save}`.text)].join(' ') },
      ...items.map((item) => sh`restore_hold ${item.key} ${item.save}`),
      sh`restore_system`,
    ),
};

export const installPackages: Operation<InstallPackages> = {
  operation: 'packages.install',
  library: APT_LIBRARY,
  timeoutSeconds: APT_SECONDS_MAX,
  changesOtherItems: true,
  items: (p) => p.packages.map((one) => `package:${one.name}` as const),
  check: (p) => asWanted(p.packages.map(wanted)),
  apply: (p) => {
    const states = packageStates(p.packages.map(wanted));
    const names = p.packages.map(({ name, version }) => (version === null ? name : `${name}=${version}`));
    const keep = p.removes.length === 0 ? ['--no-remove'] : [];
    const alone = p.recommends === false ? ['--no-install-recommends'] : [];
    const versions = p.packages.some((one) => one.version !== null || one.hold);
    const force = versions ? ['--allow-downgrades', '--allow-change-held-packages'] : [];
    const call = ['install', ...keep, ...alone, ...force, ...names];
    return sh`repair_dpkg
if ! ${nothing(states, '^? ')}; then
  ${keptChanged(p, call)}
  ${kept(p.removes)}
  write_hook "$STEP/news" "$STEP/gone" ${p.removes.map(bare).join(' ')}
  ${sparing(p.along, [...p.packages.map(({ name }) => name), ...p.removes])}
  rc=0; apt_change ${call} || rc=$?
  note_system
  [ "$rc" -eq 0 ] || exit "$rc"
fi
${lines(...p.packages.map(mark))}`;
  },
};

export const removePackages: Operation<RemovePackages> = {
  operation: 'packages.remove',
  library: APT_LIBRARY,
  timeoutSeconds: APT_SECONDS_MAX,
  changesOtherItems: true,
  items: (p) => p.packages.map((name) => `package:${name}` as const),
  check: (p) => asWanted(p.packages.map((key) => ({ fact: 'package', key, want: 'absent' }))),
  apply: (p) => sh`repair_dpkg
${kept([...p.packages, ...p.removes])}
write_hook "$STEP/news" "$STEP/gone" ${[...p.packages, ...p.removes].map(bare).join(' ')}
${sparing(p.along, [...p.packages, ...p.removes])}
apt_change remove ${p.packages}`,
};

/**
 * Where somebody needs one of these packages to get in, those that go are kept on the host first: what takes the step back may then have
 * neither a network nor an archive that still has them.
 */
function kept(names: readonly string[]): Sh {
  return names.some(isPackageNeeded) ? sh`keep_debs must ${names}` : sh`:`;
}

/** The same of those that get another version, so far as they can be had. */
function keptChanged({ packages, along }: InstallPackages, call: readonly string[]): Sh {
  const names = [...packages.map(({ name }) => name), ...(along ?? [])];
  return along === null || names.some(isPackageNeeded) ? sh`keep_changed ${call}` : sh`:`;
}

/** Where the plan knows of no way in, so that its run may be guarded by nothing. */
function sparing(along: Along | undefined, names: readonly string[]): Sh {
  return along === null || [...(along ?? []), ...names].some(isPackageIn)
    ? sh`:`
    : sh`spare_ways_in ${PACKAGES_IN}`;
}

function wanted(one: InstallPackages['packages'][number]): PackageQuery {
  return {
    fact: 'package',
    key: one.name,
    want: 'present',
    hold: one.hold,
    ...(one.version === null ? {} : { version: one.version }),
  };
}

function asWanted(queries: readonly PackageQuery[]): Sh {
  return nothing(packageStates(queries), '^[?!-] ');
}

function nothing(states: Sh, pattern: string): Sh {
  return sh`{ ${states}
} | { ! grep -q ${pattern}; }`;
}

function mark({ name, hold }: InstallPackages['packages'][number]): Sh {
  return sh`mark_hold ${name} ${hold ? 'hold' : 'install'}`;
}
