import { type TimezoneState, timezoneFact, ZONEINFO } from '../../facts/timezone.ts';
import { setTimezone } from '../../operations/timezone.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { attributeDiff } from './diff.ts';
import { problem, steps } from './outcome.ts';
import type { Section } from './section.ts';

/** The time zone of the system. */
export const timezoneSection: Section = {
  section: 'timezone',
  claims: (spec) => (spec.timezone === undefined ? [] : [{ item: 'timezone:all', pointer: '/timezone' }]),
  needs: (spec) =>
    spec.timezone === undefined ? [] : [{ fact: 'timezone', key: 'all', zone: spec.timezone }],
  plan: (spec, readings) =>
    spec.timezone === undefined
      ? steps()
      : planZone(spec.timezone, stateOf(readings, timezoneFact, 'all'), spec),
};

function planZone(zone: string, now: TimezoneState, spec: ResolvedConfiguration): KindPlan {
  if (!now.known && spec.packages.tzdata?.state !== 'present')
    return problem(
      `the time zone ${zone} is not known on the host: correct the name, or add tzdata to packages`,
    );
  const after = { '/etc/localtime': `${ZONEINFO}/${zone}`, '/etc/timezone': zone };
  const diff = attributeDiff({ '/etc/localtime': now.localtime, '/etc/timezone': now.name }, after);
  if (diff === '') return steps();
  return steps({
    id: 'timezone:all',
    operation: setTimezone.operation,
    params: { zone },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: `time zone ${zone}`,
    diff,
  });
}
