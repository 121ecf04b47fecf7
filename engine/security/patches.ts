import { type ChangelogQuery, type ChangelogState, CVES_MAX, changelogFact } from '../facts/changelog.ts';
import { itemKey, type Readings } from '../facts/fact.ts';
import { type Update, type UpdatesState, updatesFact } from '../facts/updates.ts';
import { hasNoSecurity, staleArchives, unmatchedOrigins } from '../kinds/patchPolicy/archives.ts';
import { stateOf } from '../kinds/readings.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { OutstandingUpdate, Patches } from './host.ts';

/** Updates that are told one by one; a server that lies could name tens of thousands. */
const SECURITY_MAX = 2_000;
/** Archives that are told one by one. */
const STALE_MAX = 50;
/** Vulnerabilities that the changelogs name, over all updates of a server: as many as 40 long changelogs. */
const NAMED_MAX = 20_000;

/** What is outstanding on a host and what waits for a restart, by what was read of it. */
export function patchesOf({ documents }: ResolvedHost, readings: Readings): Patches {
  const state = stateOf(readings, updatesFact, 'all');
  const policy = documents.find(({ kind }) => kind === 'PatchPolicy');
  const secure = state.updates.filter(({ security }) => security);
  const problem = state.present ? state.aptProblem : 'the server has no apt';
  // without package lists apt knows of nothing newer
  const isUnknown = state.aptProblem !== undefined || (state.present && state.listsAgeSeconds === undefined);
  const stale = staleArchives(state).slice(0, STALE_MAX);
  const unmatched = unmatchedOrigins(state);
  return {
    ...(policy === undefined ? {} : { policy: policy.ref }),
    ...(problem === undefined ? {} : { problem }),
    ...(state.dpkgProblem === undefined ? {} : { dpkgProblem: state.dpkgProblem }),
    ...(isUnknown ? { unknown: true } : {}),
    security: outstandingOf(secure.slice(0, SECURITY_MAX), state),
    ...(secure.length > SECURITY_MAX ? { moreSecurity: secure.length - SECURITY_MAX } : {}),
    others: state.updates.length - secure.length,
    restarts: state.restarts,
    reboot: { required: state.reboot.required, why: state.reboot.why },
    ...(state.listsAgeSeconds === undefined ? {} : { listsAgeSeconds: state.listsAgeSeconds }),
    ...(stale.length === 0 ? {} : { staleArchives: stale }),
    ...(hasNoSecurity(state) ? { noSecurityArchive: true } : {}),
    ...(unmatched.length === 0 ? {} : { unmatchedOrigins: unmatched }),
  };
}

function outstandingOf(updates: readonly Update[], { keptBack }: UpdatesState): readonly OutstandingUpdate[] {
  const whyKept = new Map(keptBack.map(({ name, why }) => [name, why]));
  let left = NAMED_MAX;
  return updates.map((update) => {
    const cves = update.cves?.slice(0, Math.min(CVES_MAX, left));
    left -= cves?.length ?? 0;
    return outstanding(update, cves, whyKept.get(update.name));
  });
}

/** Versions come newest first. */
function outstanding(
  update: Update,
  cves: readonly string[] | undefined,
  keptBack: string | undefined,
): OutstandingUpdate {
  const { name, from, to, source, sourceVersion, state, versions } = update;
  const secure = versions.find(({ archives }) => archives.some(({ security }) => security));
  const archive = secure?.archives.find(({ security }) => security);
  const origin = archive && { archive: `${archive.label || archive.origin} ${archive.place}` };
  const held = state === 'held' || state === 'excluded' || state === 'asked' ? { held: state } : {};
  const changelog = cves === undefined ? {} : { changelog: cves };
  return {
    name,
    from,
    to: secure?.version ?? to,
    source,
    sourceVersion,
    ...changelog,
    ...origin,
    ...held,
    ...(keptBack === undefined ? {} : { keptBack }),
  };
}

/** Changelogs have the versions of sources. */
export function changelogQuery({ name, from, sourceVersion = from }: OutstandingUpdate): ChangelogQuery {
  return { fact: changelogFact.fact, key: name, from: sourceVersion };
}

/** With what the changelogs that were read say. */
export function withChangelogs(patches: Patches, told: Readings): Patches {
  const security = patches.security.map((update) => {
    const reading = told.get(itemKey(changelogFact.fact, update.name));
    return reading === undefined ? update : { ...update, changelog: (reading.state as ChangelogState).cves };
  });
  return { ...patches, security };
}
