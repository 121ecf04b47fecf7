import { type ItemKey, type Readings, splitItemKey } from '../../facts/fact.ts';
import { modeFact } from '../../facts/mode.ts';
import { PAM_FILES, PAM_PROFILES, pamProfileFact } from '../../facts/pamProfile.ts';
import { surveyFact } from '../../facts/survey.ts';
import { sysctlFile } from '../../facts/sysctl.ts';
import { cannot } from '../adoption.ts';
import type { Claim, Kind, KindPlan, PlanContext } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { checkHardening } from './check.ts';
import {
  alongFindings,
  attentionFindings,
  breaksFindings,
  notApplicableFindings,
  scoreFinding,
  stayingFindings,
  waiverFindings,
  waiverPointer,
  wrongSystem,
} from './findings.ts';
import { isApplicable, judgeControls } from './judge.ts';
import { hardeningNeeds, itemsOf } from './needs.ts';
import { prepareHardening } from './prepare.ts';
import { neededBy } from './probes.ts';
import { activeControls, type ResolvedHardening } from './spec.ts';
import { hardeningSteps } from './steps.ts';
import { viewOf } from './view.ts';
import { sshRemarks } from './wants/ssh.ts';
import { withWitness, witnessFindings, witnessItems } from './witness.ts';

export const hardening: Kind<'Hardening'> = {
  kind: 'Hardening',
  check: checkHardening,
  prepare: prepareHardening,
  places: ({ waivers = {} }) => ['/targets', '/witness', ...Object.keys(waivers).map(waiverPointer)],
  writes: { claims: claimsOf, ids: () => [], paths: pathsOf, isFile: () => false },
  claims: claimsOf,
  yields: yieldsOf,
  needs: hardeningNeeds,
  plan: planHardening,
  contents: () => [],
  adopt: () =>
    cannot(
      'a control is as its profile says; override its value where it has one, or waive it with a reason',
    ),
  probes: () => [],
};

/** Several controls write one file, such as that of sshd. */
function claimsOf(spec: ResolvedHardening): readonly Claim[] {
  const items = [...activeControls(spec).flatMap(({ wants }) => itemsOf(wants)), ...witnessItems(spec)];
  return [...new Set(items)].map((item) => ({ item, pointer: '/profile' }));
}

/** What something on the host came to need since a control set it. */
function yieldsOf(spec: ResolvedHardening, readings: Readings): readonly ItemKey[] {
  const survey = stateOf(readings, surveyFact, 'all');
  return activeControls(spec).flatMap(({ control, wants }) =>
    neededBy(control.applies, { survey, readings }).length > 0 ? itemsOf(wants) : [],
  );
}

/** A file that this document writes whole is its own, so its mode cannot be somebody else's. */
function pathsOf(item: ItemKey, spec: ResolvedHardening): readonly string[] {
  const { fact, key } = splitItemKey(item);
  if (fact === pamProfileFact.fact) return [`${PAM_PROFILES}/${key}`, ...PAM_FILES];
  if (fact === 'sysctl') return [sysctlFile(key)];
  if (fact !== modeFact.fact) return [];
  return claimsOf(spec).some((claim) => claim.item === `path:${key}`) ? [] : [key];
}

function planHardening(spec: ResolvedHardening, readings: Readings, context: PlanContext): KindPlan {
  const view = viewOf(spec.profile, readings, context);
  const wrong = wrongSystem(view);
  if (wrong !== undefined) return { steps: [], findings: [wrong] };
  const active = activeControls(spec);
  const installs = installsOf(judgeControls(active, view));
  const judged = judgeControls(active, { ...view, installs });
  const remarks = sshRemarks(judged.filter(isApplicable), view);
  return {
    steps: withWitness(spec, hardeningSteps(judged, { ...view, installs }), view),
    findings: [
      scoreFinding(judged, spec),
      ...witnessFindings(spec, view),
      ...breaksFindings(judged),
      ...attentionFindings(judged),
      ...alongFindings(judged, view),
      ...remarks.map((message) => ({ severity: 'warning' as const, message })),
      ...waiverFindings(spec.waivers, view),
      ...notApplicableFindings(judged),
      ...stayingFindings(judged, view),
    ],
  };
}

/** Packages that this plan brings, whose files count then. */
function installsOf(judged: ReturnType<typeof judgeControls>): ReadonlySet<string> {
  return new Set(
    judged.flatMap(({ wants, verdict }) =>
      wants.kind === 'package' && wants.state === 'present' && verdict.kind === 'failed' ? wants.names : [],
    ),
  );
}
