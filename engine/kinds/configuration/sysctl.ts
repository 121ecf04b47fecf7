import { type SysctlState, sysctlFact } from '../../facts/sysctl.ts';
import { setSysctl } from '../../operations/sysctl.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { attributeDiff } from './diff.ts';
import { pointerTo } from './files.ts';
import { joined, remark, steps } from './outcome.ts';
import type { Section } from './section.ts';

/** Kernel settings, in the running kernel and at boot. */
export const sysctlSection: Section = {
  section: 'sysctl',
  claims: (spec) =>
    Object.keys(spec.sysctl).map((key) => ({ item: `sysctl:${key}`, pointer: pointerTo('sysctl', key) })),
  needs: (spec) => Object.keys(spec.sysctl).map((key) => ({ fact: 'sysctl', key })),
  plan: (spec, readings) =>
    joined(
      Object.entries(spec.sysctl).map(([key, value]) =>
        planSetting(key, value.trim().split(/\s+/).join(' '), stateOf(readings, sysctlFact, key)),
      ),
    ),
};

function planSetting(key: string, value: string, now: SysctlState): KindPlan {
  if (!now.present) return notApplicable(`${key} is not applicable here: this kernel does not have it`);
  if (!now.writable)
    return notApplicable(
      `${key} is not applicable here: it cannot be written (now ${now.runtime}, wanted ${value}), as in a container`,
    );
  const after = { now: value, 'at boot': value };
  const diff = attributeDiff({ now: now.runtime, 'at boot': now.persisted }, after);
  if (diff === '') return steps();
  return steps({
    id: `sysctl:${key}`,
    operation: setSysctl.operation,
    params: { key, value },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: now.runtime === value ? `${key} = ${value} at boot` : `${key} ${now.runtime} -> ${value}`,
    diff,
  });
}

/** Never a step, so it is never counted as done. */
function notApplicable(message: string): KindPlan {
  return { steps: [], findings: remark('warning', message) };
}
