import type { Readings } from '../../facts/fact.ts';
import { unitFact } from '../../facts/unit.ts';
import type { ResolvedConfiguration, ResolvedUnit } from '../../spec/configuration.ts';
import { nearestName } from '../../spec/nearest.ts';
import type { KindFinding, KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';

/** A timer whose text is managed, so that what it starts is known. */
export function writesTimer(name: string, want: ResolvedUnit): boolean {
  return name.endsWith('.timer') && want.state === 'present' && want.content !== undefined;
}

/** What a timer starts unless its text says otherwise: systemd.timer(5), `Unit=`. */
export function serviceOf(timer: string): string {
  return timer.replace(/timer$/, 'service');
}

/** Findings about a timer that starts nothing: neither `systemd-analyze verify` nor enabling it would say so. */
export function idleTimer(
  name: string,
  text: string,
  spec: ResolvedConfiguration,
  readings: Readings,
): KindPlan {
  if (!name.endsWith('.timer')) return { steps: [], findings: [] };
  const service = [...text.matchAll(/^[ \t]*Unit[ \t]*=[ \t]*(\S+)[ \t]*$/gm)].at(-1)?.[1] ?? serviceOf(name);
  const finding = spec.units[service] === undefined ? judge(name, service, spec, readings) : undefined;
  return { steps: [], findings: finding === undefined ? [] : [finding] };
}

function judge(
  name: string,
  service: string,
  spec: ResolvedConfiguration,
  readings: Readings,
): KindFinding | undefined {
  const unlessClaimed = `unit:${service}` as const;
  if (service === serviceOf(name)) {
    const message = `${name} starts ${service}, which is not on this host: add it to units, or name another with Unit=`;
    const { present } = stateOf(readings, unitFact, service);
    return present ? undefined : { severity: 'error', message, unlessClaimed };
  }
  // What only the text names was not read; it may well be there.
  const others = Object.keys(spec.units).filter((unit) => unit !== name);
  const meant = nearestName(service, others);
  if (meant === undefined) return undefined;
  const message = `${name} starts ${service}, which this document does not have; did you mean ${meant}?`;
  return { severity: 'warning', message, unlessClaimed };
}
