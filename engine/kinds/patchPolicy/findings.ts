import type { Restarts, Update, UpdatesState } from '../../facts/updates.ts';
import type { KindFinding } from '../kind.ts';
import {
  hasNoSecurity,
  LISTS_AGE_MAX_SECONDS,
  originText,
  staleArchives,
  staleText,
  unmatchedOrigins,
} from './archives.ts';
import { waitingUnits } from './follow.ts';
import type { PatchRules, ResolvedPatchPolicy } from './spec.ts';
import { bytes, some } from './words.ts';

/** What there is to know beside the steps, and what keeps updates from being installed. */
export function patchFindings(state: UpdatesState, { updates: rules, holds }: ResolvedPatchPolicy) {
  if (!state.present) return [error('there is no apt here, so nothing can be updated')];
  return [
    ...obstacles(state),
    ...beside(state),
    ...lists(state),
    ...security(state),
    ...leftOut(state, rules, holds),
    ...restarts(state, rules).map((one) => (one.severity === 'info' ? one : readBack(one))),
    ...reboots(state, rules).map(readBack),
    ...failed(state),
  ];
}

/** An update that cannot be made is an error; a lock is waited for, and dpkg is repaired first. */
function obstacles(state: UpdatesState): readonly KindFinding[] {
  const { dpkgProblem, aptProblem, locks, shortages } = state;
  return [
    ...shortages.map(({ mount, needBytes, freeBytes }) =>
      error(
        `not enough room on ${mount}: the updates need ${bytes(needBytes)}, and ${bytes(freeBytes)} are free`,
      ),
    ),
    ...(aptProblem === undefined ? [] : [error(`apt does not say what it would update: ${aptProblem}`)]),
    ...(dpkgProblem === undefined
      ? []
      : [warning(`dpkg is not in order, and is repaired before anything is updated: ${dpkgProblem}`)]),
    ...locks.map(({ pid, program }) =>
      info(`${program || 'a program'} (process ${pid}) has a lock of dpkg or apt; a run waits for it`),
    ),
  ];
}

function beside({ unattended }: UpdatesState): readonly KindFinding[] {
  if (unattended !== true) return [];
  return [
    warning(
      'unattended-upgrades installs updates here beside this document, without its rings, window, exclude and probes; switch it off with a Configuration: a file below /etc/apt/apt.conf.d with APT::Periodic::Unattended-Upgrade "0"; (docs/patches.md)',
    ),
  ];
}

function lists(state: UpdatesState): readonly KindFinding[] {
  const { listsAgeSeconds: age } = state;
  if (age === undefined)
    return [warning('apt has read no package lists yet, so no update is known; run apt-get update')];
  const stale = staleArchives(state).map(staleText);
  const days = Math.floor(age / 86_400);
  return [
    ...(age <= LISTS_AGE_MAX_SECONDS
      ? []
      : [
          warning(
            `the package lists are ${days} days old, so newer updates are not known; see why apt-daily.timer does not read them`,
          ),
        ]),
    ...(stale.length === 0
      ? []
      : [
          warning(
            `newer updates are not known of ${some(stale, '; ')}; see what apt-get update says of that on the server`,
          ),
        ]),
  ];
}

/** Without an archive that tells of them, no security update is ever outstanding. */
function security(state: UpdatesState): readonly KindFinding[] {
  const unmatched = unmatchedOrigins(state).map(originText);
  return [
    ...(hasNoSecurity(state)
      ? [
          warning(
            'none of the archives that apt reads here is one of security updates, so no security update is ever known; add that of the distribution to apt\'s sources (of Debian 12: suite bookworm-security), or name yours in "securityOrigins"',
          ),
        ]
      : []),
    ...(unmatched.length === 0
      ? []
      : [
          warning(
            `none of the archives that apt reads here is what "securityOrigins" names: ${some(unmatched, '; ')}; compare that with the release lines of apt-cache policy, or add the archive to apt's sources`,
          ),
        ]),
  ];
}

function leftOut(
  state: UpdatesState,
  { exclude, pinned }: PatchRules,
  holds: readonly string[],
): readonly KindFinding[] {
  const ownHolds = new Set(holds);
  const held = state.updates.filter(({ state: is, name }) => is === 'held' || ownHolds.has(bare(name)));
  const pinnedBy = new Map(pinned.toReversed().map(({ name, by }) => [name, by]));
  const pins = state.updates.flatMap((update) => {
    const by = pinnedBy.get(bare(update.name));
    return by === undefined ? [] : [{ update, by }];
  });
  const decided = new Set([...held, ...pins.map(({ update }) => update)]);
  const excluded = state.updates.filter((update) => update.state === 'excluded' && !decided.has(update));
  const asked = state.updates.filter(({ state: is }) => is === 'asked');
  const other = state.updates.filter(({ state: is }) => is === 'other');
  return [
    ...state.keptBack.map(({ name, to, why }) =>
      waiting(`kept back: ${name} ${to}${why === '' ? '' : `: ${why}`}`),
    ),
    ...left('held', held),
    ...pins.map(({ update, by }) => waits(`its version is that of ${by}`, [update])),
    ...left(`excluded (${some(exclude)})`, excluded),
    ...asked.filter(({ conffiles }) => conffiles.length > 0).map(leftToYou),
    ...left(
      'as another package of the same source is left to you',
      asked.filter(({ conffiles }) => conffiles.length === 0),
    ).map((finding) => ({ ...finding, ...(finding.severity === 'warning' && { waits: true as const }) })),
    ...(other.length === 0
      ? []
      : [info(`newer, but no security updates: ${some(other.map(({ name }) => name))}`)]),
  ];
}

function left(why: string, updates: readonly Update[]): readonly KindFinding[] {
  return updates.length === 0 ? [] : [waits(why, updates)];
}

/** A security update that nobody installs is worth a warning. */
function waits(why: string, updates: readonly Update[]): KindFinding {
  const named = some(updates.map(({ name, from, candidate }) => `${name} ${from} -> ${candidate}`));
  const security = updates.filter((update) => update.security);
  if (security.length === 0) return info(`not updated, ${why}: ${named}`);
  return warning(
    `not updated, ${why}: ${named}; security updates: ${some(security.map(({ name }) => name))}`,
  );
}

function leftToYou({ name, to, conffiles }: Update): KindFinding {
  return waiting(
    `${name} ${to} is left to you: ${conffiles.join(', ')} was changed on the server; say "conffiles: keep" or "take", or update it by hand`,
  );
}

function restarts(state: UpdatesState, rules: PatchRules): readonly KindFinding[] {
  if (rules.restart === 'never') return [];
  switch (state.restarts.kind) {
    case 'absent':
      return [warning(`${UNKNOWN}: install the package needrestart, with a Configuration`)];
    case 'vulnerable':
      return [
        warning(
          `${UNKNOWN}: needrestart ${state.restarts.version} lets local users become root (CVE-2024-48990 and others), so it is not run; it is mended in 3.6-4+deb12u2 and later`,
        ),
      ];
    case 'failed':
      return [warning(`${UNKNOWN}: needrestart ${state.restarts.version} failed`)];
    default: {
      const { left: units } = waitingUnits(state, rules);
      return [
        ...(units.length === 0
          ? []
          : [
              warning(
                `still use what was replaced, and are not restarted by themselves: ${some(units)}${alone(state, rules)}`,
              ),
            ]),
        ...ending(state.restarts),
        ...unknown(state),
      ];
    }
  }
}

/** What only waits asks for no reboot: it may come with every update of a library. */
function alone({ reboot: { required } }: UpdatesState, { reboot }: PatchRules): string {
  return reboot === 'ifRequired' && !required ? '; no reboot is made for that alone' : '';
}

/** What no restart changes, or must not cut. */
function ending({ leftovers = [], oneshots = [] }: Extract<Restarts, { kind: 'known' }>) {
  const end = 'they end by themselves, or with a reboot';
  return [
    ...(leftovers.length === 0
      ? []
      : [
          info(
            `processes from before the last start of ${some(leftovers)} still use what was replaced; ${end}`,
          ),
        ]),
    ...(oneshots.length === 0
      ? []
      : [
          info(
            `still use what was replaced, and are not restarted, as services of one run (oneshot): ${some(oneshots)}; ${end}`,
          ),
        ]),
  ];
}

/** As with a hold of what is not installed: a document may be that of many servers. */
function unknown({ unknownServices = [] }: UpdatesState): readonly KindFinding[] {
  return unknownServices.length === 0
    ? []
    : [info(`no service here has this name, so "restartNever" leaves nothing out: ${some(unknownServices)}`)];
}

const UNKNOWN = 'which services still use what was replaced is not known, and none is restarted';

function reboots({ reboot: { required, why } }: UpdatesState, rules: PatchRules): readonly KindFinding[] {
  if (!required || rules.reboot === 'ifRequired') return [];
  const told = `a reboot waits, for ${some(why)}`;
  return rules.reboot === 'ask'
    ? [info(`${told}; only the run of a pull request makes it`)]
    : [warning(`${told}; reboot the server, or declare "reboot"`)];
}

function failed({ failedUnits }: UpdatesState): readonly KindFinding[] {
  return failedUnits.length === 0 ? [] : [info(`failed already before: ${some(failedUnits)}`)];
}

/** What a run leaves is told in its report as well. What ends by itself is not left. */
function readBack(finding: KindFinding): KindFinding {
  return { ...finding, readBack: true };
}

function bare(name: string): string {
  return name.replace(/:.*$/, '');
}

function info(message: string): KindFinding {
  return { severity: 'info', message };
}

function warning(message: string): KindFinding {
  return { severity: 'warning', message };
}

/** A warning of what stays so until somebody decides on it. What the document excludes or holds is decided. */
function waiting(message: string): KindFinding {
  return { severity: 'warning', message, waits: true };
}

function error(message: string): KindFinding {
  return { severity: 'error', message };
}
