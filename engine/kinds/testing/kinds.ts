import type { FactQuery, Readings } from '../../facts/fact.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import { configuration, sections } from '../configuration/plan.ts';
import { EMPTY } from '../configuration/testing/spec.ts';
import { firewall } from '../firewall/plan.ts';
import { firewallSpec, SECTIONS } from '../firewall/testing/spec.ts';
import { hardening } from '../hardening/plan.ts';
import { SECTIONS as HARDENING_SECTIONS, hardeningSpec } from '../hardening/testing/spec.ts';
import type { KindPlan, PlanContext } from '../kind.ts';
import { patchPolicy } from '../patchPolicy/plan.ts';
import { SECTIONS as PATCH_SECTIONS, patchPolicySpec } from '../patchPolicy/testing/spec.ts';

/** How the tests of all kinds see a kind: its spec is a partial one, as a case gives it. */
export interface TestedKind {
  /** Folder below engine/kinds. */
  readonly folder: string;
  /** Parts of its spec that need a no-op case and a line in the README each. */
  readonly sections: readonly string[];
  readonly needs: (spec: Readonly<Record<string, unknown>>) => readonly FactQuery[];
  readonly plan: (
    spec: Readonly<Record<string, unknown>>,
    readings: Readings,
    context: PlanContext,
  ) => KindPlan;
}

/** A new kind is added here. */
export const testedKinds: readonly TestedKind[] = [
  {
    folder: 'configuration',
    sections: [...new Set(sections.map((section) => section.section))],
    needs: (spec) => configuration.needs(withDefaults(spec)),
    plan: (spec, readings, context) => configuration.plan(withDefaults(spec), readings, context),
  },
  {
    folder: 'firewall',
    sections: SECTIONS,
    needs: (spec) => firewall.needs(firewallSpec(spec)),
    plan: (spec, readings, context) => firewall.plan(firewallSpec(spec), readings, context),
  },
  {
    folder: 'hardening',
    sections: HARDENING_SECTIONS,
    needs: (spec) => hardening.needs(hardeningSpec(spec)),
    plan: (spec, readings, context) => hardening.plan(hardeningSpec(spec), readings, context),
  },
  {
    folder: 'patchPolicy',
    sections: PATCH_SECTIONS,
    needs: (spec) => patchPolicy.needs(patchPolicySpec(spec)),
    plan: (spec, readings, context) => patchPolicy.plan(patchPolicySpec(spec), readings, context),
  },
];

/** What the resolver fills in for an entry of a map, so that cases stay short. */
const ENTRY_DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  aptRepositories: { architectures: [], components: [], armored: true },
  packages: { state: 'present', hold: false },
  directories: {
    state: 'directory',
    mode: '0755',
    owner: 'root',
    group: 'root',
    notify: { reload: [], restart: [] },
  },
  files: { state: 'file', mode: '0644', owner: 'root', group: 'root', notify: { reload: [], restart: [] } },
  groups: { state: 'present', system: false },
  users: { state: 'present', system: false },
  units: { state: 'present' },
  scripts: { timeoutSeconds: 300 },
};

/** A whole spec of a Configuration from the part that a case gives. */
export function withDefaults(spec: Readonly<Record<string, unknown>>): ResolvedConfiguration {
  const filled = Object.entries(spec).map(([section, value]) => {
    const defaults = ENTRY_DEFAULTS[section];
    if (defaults === undefined) return [section, value];
    const entries = Object.entries(value as Readonly<Record<string, object>>);
    return [section, Object.fromEntries(entries.map(([key, entry]) => [key, { ...defaults, ...entry }]))];
  });
  return { ...EMPTY, ...Object.fromEntries(filled) } as ResolvedConfiguration;
}
