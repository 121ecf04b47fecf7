import { type ChangelogQuery, type ChangelogState, changelogFact } from '../facts/changelog.ts';
import { itemKey, type Readings } from '../facts/fact.ts';
import { type Update, updatesFact } from '../facts/updates.ts';
import { stateOf } from '../kinds/readings.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { OutstandingUpdate, Patches } from './host.ts';

/** What is outstanding on a host and what waits for a restart, by what was read of it. */
export function patchesOf({ documents }: ResolvedHost, readings: Readings): Patches {
  const state = stateOf(readings, updatesFact, 'all');
  const policy = documents.find(({ kind }) => kind === 'PatchPolicy');
  const problem = state.present ? state.aptProblem : 'the server has no apt';
  const whyKept = new Map(state.keptBack.map(({ name, why }) => [name, why]));
  // without package lists apt knows of nothing newer
  const isUnknown = state.aptProblem !== undefined || (state.present && state.listsAgeSeconds === undefined);
  return {
    ...(policy === undefined ? {} : { policy: policy.ref }),
    ...(problem === undefined ? {} : { problem }),
    ...(state.dpkgProblem === undefined ? {} : { dpkgProblem: state.dpkgProblem }),
    ...(isUnknown ? { unknown: true } : {}),
    security: state.updates
      .filter(({ security }) => security)
      .map((update) => outstanding(update, whyKept.get(update.name))),
    others: state.updates.filter(({ security }) => !security).length,
    restarts: state.restarts,
    reboot: { required: state.reboot.required, why: state.reboot.why },
    ...(state.listsAgeSeconds === undefined ? {} : { listsAgeSeconds: state.listsAgeSeconds }),
  };
}

/** Versions come newest first. */
function outstanding(update: Update, keptBack: string | undefined): OutstandingUpdate {
  const { name, from, to, source, sourceVersion, state, versions, cves } = update;
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
