import type { Disruption } from '../../operations/operation.ts';
import type { HostPlan, Step } from '../../plan/step.ts';

/** From least to most, as `Disruption` is declared. */
const ORDER: readonly Disruption[] = ['none', 'reload', 'restart', 'failover', 'reboot'];

/** A change as a reader counts it: what merely follows from it, such as a reload, is part of it. */
export interface ChangeRow {
  readonly step: Step;
  /** The most that it or what follows from it disturbs. */
  readonly disruption: Disruption;
}

export interface HostGroup {
  readonly hosts: readonly string[];
  readonly rows: readonly ChangeRow[];
}

export function changeRows(steps: readonly Step[]): readonly ChangeRow[] {
  const changes = new Set(steps.filter((step) => !isAction(step)).map((step) => step.id));
  const follows = steps.filter((step) => isAction(step) && step.dependsOn.some((id) => changes.has(id)));
  const absorbed = new Set(follows.map((step) => step.id));
  return steps
    .filter((step) => !absorbed.has(step.id))
    .map((step) => {
      const after = follows.filter((action) => action.dependsOn.includes(step.id));
      return { step, disruption: worst([step, ...after].map((each) => each.disruption)) };
    });
}

/** Hosts with the same changes are shown once; hosts without changes are not. */
export function groupHosts(hosts: readonly HostPlan[]): readonly HostGroup[] {
  const groups = new Map<string, { hosts: string[]; rows: readonly ChangeRow[] }>();
  for (const { host, steps } of hosts) {
    if (steps.length === 0) continue;
    const rows = changeRows(steps);
    const key = JSON.stringify(
      rows.map(({ step: s, disruption }) => [s.summary, s.diff, disruption, s.reversible, s.reason]),
    );
    const group = groups.get(key) ?? { hosts: [], rows };
    group.hosts.push(host);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** It touches no item and shows no difference: it only makes a service notice. */
function isAction(step: Step): boolean {
  return step.disruption !== 'none' && step.diff === '' && Object.keys(step.before).length === 0;
}

function worst(disruptions: readonly Disruption[]): Disruption {
  return disruptions.reduce(
    (most, next) => (ORDER.indexOf(next) > ORDER.indexOf(most) ? next : most),
    'none',
  );
}
