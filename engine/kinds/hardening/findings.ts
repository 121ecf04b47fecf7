import { sysctlFact } from '../../facts/sysctl.ts';
import { removedAlong } from '../along.ts';
import type { KindFinding } from '../kind.ts';
import { stateOf } from '../readings.ts';
import type { Severity } from './control.ts';
import type { Judged } from './judge.ts';
import { neededBy } from './probes.ts';
import type { ResolvedHardening, Waiver } from './spec.ts';
import type { View } from './view.ts';

/** Debian and Ubuntu releases whose files and packages the controls know. */
const SYSTEMS: Readonly<Record<string, readonly string[]>> = {
  debian: ['12', '13'],
  ubuntu: ['24.04', '26.04'],
};

/** Why no control may be planned on this system. */
export function wrongSystem({ system }: View): KindFinding | undefined {
  if (SYSTEMS[system.osId]?.includes(system.osVersion)) return undefined;
  const known = Object.entries(SYSTEMS).map(([id, versions]) => `${id} ${versions.join(', ')}`);
  const message = `Hardening has no profile for ${system.os} (${system.osId} ${system.osVersion}); it knows ${known.join(' and ')}. Take this server out of "targets".`;
  return { severity: 'error', message, pointer: '/targets' };
}

export interface Score {
  readonly passed: number;
  readonly applicable: number;
  readonly bySeverity: Readonly<Record<Severity, { readonly passed: number; readonly applicable: number }>>;
}

const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

/** What holds now of what applies; what is waived or means nothing here is in neither. */
export function scoreOf(judged: readonly Judged[]): Score {
  const count = (mine: readonly Judged[]) => ({
    passed: mine.filter(({ verdict }) => verdict.kind === 'passed').length,
    applicable: mine.filter(({ verdict }) => verdict.kind !== 'not-applicable').length,
  });
  const of = (severity: Severity) => count(judged.filter(({ control }) => control.severity === severity));
  const bySeverity = { critical: of('critical'), high: of('high'), medium: of('medium'), low: of('low') };
  return { ...count(judged), bySeverity };
}

export function scoreFinding(
  judged: readonly Judged[],
  { profile, waivers }: ResolvedHardening,
): KindFinding {
  const { passed, applicable, bySeverity } = scoreOf(judged);
  const parts = SEVERITIES.map((s) => `${s} ${bySeverity[s].passed}/${bySeverity[s].applicable}`);
  const rest = [
    `${judged.length - applicable} not applicable here`,
    ...(waivers.length > 0 ? [`${waivers.length} waived`] : []),
  ];
  const message = `${profile}: ${passed} of ${applicable} controls hold now (${parts.join(', ')}); ${rest.join(', ')}`;
  return { severity: 'info', message, readBack: true };
}

/** One sentence for each reason, with all its controls. */
export function notApplicableFindings(judged: readonly Judged[]): readonly KindFinding[] {
  const byReason = new Map<string, readonly string[]>();
  for (const { control, verdict } of judged)
    if (verdict.kind === 'not-applicable')
      byReason.set(verdict.reason, [...(byReason.get(verdict.reason) ?? []), control.id]);
  return [...byReason].map(([reason, ids]) => ({
    severity: 'info',
    message: `not applicable here, because ${reason}: ${ids.join(', ')}`,
  }));
}

/** A kernel setting that this document made and that no longer applies, but is in nobody's way for certain: it stays, and a person decides. */
export function stayingFindings(judged: readonly Judged[], view: View): readonly KindFinding[] {
  return judged.flatMap(({ control, wants, verdict }): readonly KindFinding[] => {
    if (verdict.kind !== 'not-applicable' || wants.kind !== 'sysctl') return [];
    const now = stateOf(view.readings, sysctlFact, wants.key);
    if (!now.present || !now.writable || now.persisted === undefined) return [];
    if (control.applies === undefined || neededBy(control.applies, view).length > 0) return [];
    const message = `${control.id}: ${wants.key} = ${now.persisted} was set when it did apply, and stays; waive the control to have it put back as it was found`;
    return [{ severity: 'warning', message }];
  });
}

export function attentionFindings(judged: readonly Judged[]): readonly KindFinding[] {
  return unique(
    judged.flatMap(({ control, verdict }) =>
      verdict.kind === 'attention' ? [{ id: control.id, message: verdict.message }] : [],
    ),
  ).map(({ id, message }) => ({ severity: 'warning', message: `${id}: ${message}` }));
}

/** What may stop working once the plan has run, for whoever approves it; each once, with all controls that it comes from. */
export function breaksFindings(judged: readonly Judged[]): readonly KindFinding[] {
  const broken = new Map<string, readonly string[]>();
  for (const { control, verdict } of judged)
    for (const what of verdict.kind === 'failed' ? (control.breaks ?? []) : [])
      broken.set(what, [...(broken.get(what) ?? []), control.id]);
  if (broken.size === 0) return [];
  const told = [...broken].map(([what, ids]) => `${what} (${ids.join(', ')})`);
  return [{ severity: 'info', message: `this change may stop or hinder ${told.join('; ')}` }];
}

/** Packages that no control names, and that need one which is removed. */
export function alongFindings(judged: readonly Judged[], { readings }: View): readonly KindFinding[] {
  const removing = judged.filter(
    ({ wants, verdict }) => wants.kind === 'package' && wants.state === 'absent' && verdict.kind === 'failed',
  );
  const others = removing.length === 0 ? [] : removedAlong(readings);
  if (others.length === 0) return [];
  const ids = removing.map(({ control }) => control.id).join(', ');
  const message = `${others.join(', ')} would go along with packages that are removed for ${ids}: waive the control of what this server is meant to have`;
  return [{ severity: 'warning', message }];
}

/** What keeps many controls from being set is said once. */
function unique<T extends { readonly message: string }>(all: readonly T[]): readonly T[] {
  return all.filter(({ message }, at) => all.findIndex((other) => other.message === message) === at);
}

export function waiverPointer(id: string): string {
  return `/waivers/${id}`;
}

/** Nothing changes on a host because a day has passed: a waiver that is over is told until somebody renews or removes it. */
export function waiverFindings(waivers: readonly Waiver[], { survey }: View): readonly KindFinding[] {
  return waivers.map(({ id, reason, owner, expires }) =>
    survey.today > expires
      ? {
          severity: 'warning',
          pointer: waiverPointer(id),
          message: `the waiver of ${id} ended on ${expires}: ${owner} renews it, or it is removed so that the control is applied (${reason})`,
        }
      : { severity: 'info', message: `${id} is waived until ${expires} by ${owner}: ${reason}` },
  );
}
