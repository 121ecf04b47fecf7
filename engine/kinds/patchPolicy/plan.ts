import { type FactQuery, type Readings, splitItemKey } from '../../facts/fact.ts';
import { packageFact } from '../../facts/package.ts';
import { type UpdatesQuery, updatesFact } from '../../facts/updates.ts';
import { type UpgradePatches, upgradePatches } from '../../operations/patches.ts';
import { cannot } from '../adoption.ts';
import type { Claim, Kind, KindPlan, PlanContext } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { checkPatchPolicy } from './check.ts';
import { patchFindings } from './findings.ts';
import { rebootStep, restartStep } from './follow.ts';
import { holdFindings, holdSteps } from './holds.ts';
import { preparePatchPolicy } from './prepare.ts';
import type { ResolvedPatchPolicy } from './spec.ts';
import { upgradeStep } from './upgrade.ts';
import { maintenanceOf } from './window.ts';

/** What is outstanding on a host, and what waits for a restart, is its difference: it comes up by itself. */
export const patchPolicy: Kind<'PatchPolicy'> = {
  kind: 'PatchPolicy',
  ongoing: true,
  check: checkPatchPolicy,
  prepare: preparePatchPolicy,
  maintenance: maintenanceOf,
  writes: { claims: claimsOf, ids: () => [], paths: () => [], isFile: () => false },
  claims: claimsOf,
  needs: needsOf,
  furtherNeeds: furtherNeedsOf,
  plan: planPatchPolicy,
  contents: () => [],
  adopt: () =>
    cannot(
      'an update that is not wanted is held or excluded in the document; what is installed has no place in it',
    ),
  probes: ({ probes }) => probes,
};

function claimsOf({ holds }: ResolvedPatchPolicy): readonly Claim[] {
  return [
    { item: 'updates:all', pointer: '/updates' },
    ...holds.map((name, i): Claim => ({ item: `package:${name}`, pointer: `/holds/${i}` })),
  ];
}

/** What is held is none of the selection already before it is held. */
function needsOf({ updates, holds }: ResolvedPatchPolicy): readonly FactQuery[] {
  const { which, securityOrigins, exclude, pinned, conffiles, restartNever } = updates;
  const query: UpdatesQuery = {
    fact: 'updates',
    key: 'all',
    updates: which,
    securityOrigins,
    exclude: [...exclude, ...holds, ...pinned.map(({ name }) => name)],
    ...(conffiles === 'ask' ? { conffiles } : {}),
    ...(restartNever.length === 0 ? {} : { services: restartNever }),
  };
  return [query, ...holds.map((name): FactQuery => ({ fact: packageFact.fact, key: name }))];
}

/** What an update changes must be as it was planned. */
function furtherNeedsOf({ updates: rules }: ResolvedPatchPolicy, readings: Readings): readonly FactQuery[] {
  const state = stateOf(readings, updatesFact, 'all');
  const items = upgradeStep(state, rules).flatMap(({ params }) =>
    upgradePatches.items(params as UpgradePatches),
  );
  return items.map(splitItemKey);
}

function planPatchPolicy(spec: ResolvedPatchPolicy, readings: Readings, { mended }: PlanContext): KindPlan {
  const { updates: rules, holds } = spec;
  const state = stateOf(readings, updatesFact, 'all');
  const held = holdSteps(holds, readings);
  const upgrade = upgradeStep(state, rules, mended);
  const before = [...held, ...upgrade].map(({ id }) => id);
  const restart = restartStep(state, rules, before);
  const reboot = rebootStep(state, rules, [...before, ...restart.map(({ id }) => id)]);
  return {
    steps: [...held, ...upgrade, ...restart, ...reboot],
    findings: [...holdFindings(holds, readings), ...patchFindings(state, spec)],
  };
}
