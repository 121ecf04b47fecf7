import type { Readings } from '../../facts/fact.ts';
import { checkConfiguration } from '../../spec/checks/configuration.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import { prepareConfiguration } from '../../spec/prepareConfiguration.ts';
import type { Kind, KindPlan, PlanContext } from '../kind.ts';
import { adoptItem } from './adopt/adopt.ts';
import { aptRepositoriesSection } from './aptRepositories.ts';
import { authorizedKeysSection } from './authorizedKeys.ts';
import { configurationClaims } from './claims.ts';
import { contentsOf } from './contents.ts';
import { directoriesSection } from './directories.ts';
import { filesSection } from './files.ts';
import { groupsSection } from './groups.ts';
import { hostsEntriesSection } from './hostsEntries.ts';
import { localeSection } from './locale.ts';
import { notifyNeeds, planNotify } from './notify.ts';
import { joined } from './outcome.ts';
import { packagesSection } from './packages.ts';
import { scriptsSection } from './scripts.ts';
import type { Section } from './section.ts';
import { sysctlSection } from './sysctl.ts';
import { timezoneSection } from './timezone.ts';
import { unitsSection } from './units.ts';
import { usersSection } from './users.ts';
import { idClaims, writtenPaths } from './writes.ts';

/**
 * The order of effects on a host: what brings files comes before the files, what owns files before them, and what
 * runs with them after.
 */
export const sections: readonly Section[] = [
  aptRepositoriesSection,
  packagesSection,
  groupsSection,
  usersSection,
  directoriesSection,
  authorizedKeysSection,
  filesSection,
  hostsEntriesSection,
  sysctlSection,
  timezoneSection,
  localeSection,
  unitsSection,
  scriptsSection,
];

export const configuration: Kind<'Configuration'> = {
  kind: 'Configuration',
  check: checkConfiguration,
  prepare: prepareConfiguration,
  writes: {
    claims: configurationClaims,
    ids: idClaims,
    paths: writtenPaths,
    isFile: (path, spec) => spec.files[path]?.state === 'file',
  },
  claims: (spec) => sections.flatMap((section) => section.claims(spec)),
  needs: (spec) => [...sections.flatMap((section) => section.needs(spec)), ...notifyNeeds(spec)],
  plan: planSections,
  contents: contentsOf,
  adopt: adoptItem,
  probes: (spec) => spec.probes,
};

function planSections(
  spec: ResolvedConfiguration,
  readings: Readings,
  { payloads, seals }: PlanContext,
): KindPlan {
  const plans = sections.map((section) => section.plan(spec, readings, payloads, seals));
  const notify = planNotify(
    spec,
    readings,
    plans.flatMap((plan) => plan.steps),
  );
  return joined([...plans, notify]);
}
