import type { Readings } from '../facts/fact.ts';
import { scoreOf, wrongSystem } from '../kinds/hardening/findings.ts';
import { type Judged, judgeControls } from '../kinds/hardening/judge.ts';
import { activeControls, type ResolvedHardening } from '../kinds/hardening/spec.ts';
import { viewOf } from '../kinds/hardening/view.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import type { FailingControl, HardeningState } from './host.ts';

/** How the controls of each Hardening document of a host stand, by what was read of it. */
export function hardeningStates(host: ResolvedHost, readings: Readings): readonly HardeningState[] {
  return host.documents.filter(isHardening).map(({ ref, spec }) => stateOf(host, ref, spec, readings));
}

export function isHardening(document: ResolvedDocument): document is ResolvedDocument<'Hardening'> {
  return document.kind === 'Hardening';
}

function stateOf(
  { server, jumpFor = [] }: ResolvedHost,
  document: string,
  spec: ResolvedHardening,
  readings: Readings,
): HardeningState {
  const view = viewOf(spec.profile, readings, { server, jumpFor });
  const wrong = wrongSystem(view);
  const judged = wrong === undefined ? judgeControls(activeControls(spec), view) : [];
  return {
    document,
    profile: spec.profile,
    score: scoreOf(judged),
    failing: judged.flatMap(failing),
    passed: judged.flatMap(({ control, verdict }) => (verdict.kind === 'passed' ? [control.id] : [])),
    notApplicable: judged.flatMap(({ control: { id }, verdict }) =>
      verdict.kind === 'not-applicable' ? [{ id, why: verdict.reason }] : [],
    ),
    // as planning judges it: by the host's own day
    waivers: spec.waivers.map((waiver) => ({ ...waiver, expired: view.survey.today > waiver.expires })),
    ...(wrong === undefined ? {} : { wrongSystem: wrong.message }),
  };
}

function failing({ control: { id, title, severity }, verdict }: Judged): readonly FailingControl[] {
  switch (verdict.kind) {
    case 'passed':
    case 'not-applicable':
      return [];
    case 'failed':
      return [{ id, title, severity }];
    case 'attention':
      return [{ id, title, severity, attention: verdict.message }];
  }
}
