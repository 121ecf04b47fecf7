import type { Membership } from '../rollout/apart.ts';
import { hostOrder, type Placed } from '../rollout/hostOrder.ts';
import { DEFAULT_ROLLOUT, type Rollout } from '../rollout/rollout.ts';
import { atOnce, type Stage, stagesOf } from '../rollout/stages.ts';
import { type Rules, strictest } from '../rollout/strictest.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { HostPlan, Plan } from './step.ts';
import { membershipOf, sharedUnits } from './units.ts';

/** How a plan reaches its hosts: part of what is approved. */
export interface PlanRollout {
  readonly rules: Rules;
  /** In this order. */
  readonly stages: readonly Stage[];
  /** Documents that declare the rollouts whose strictest rules hold. Not part of the digest. */
  readonly documents: readonly string[];
  /**
   * Hosts that are never changed, nor put back, together, and their mates without a step, beside which they are not changed while
   * these are down. Left out: none. The stages follow from it, so the digest covers it.
   */
  readonly apart?: readonly (readonly string[])[];
  /**
   * By changed host, the names of its units: what another pull request calls the same has to wait. Left out: none. Not part of the
   * digest.
   */
  readonly units?: Readonly<Record<string, readonly string[]>>;
}

/** Undefined where the plan has no step. `resolved`: all hosts of the repository, as one without a step may stand in for one that has. */
export function planRollout(
  plans: readonly HostPlan[],
  resolved: readonly ResolvedHost[],
): PlanRollout | undefined {
  const hosts = plans.filter(({ steps }) => steps.length > 0);
  if (hosts.length === 0) return undefined;
  const byName = new Map(resolved.map((host) => [host.name, host]));
  const declared = declaredBy(hosts, byName);
  const rollouts = [...declared.values()].map((rollout) => rollout ?? DEFAULT_ROLLOUT);
  const rules = strictest(rollouts, hosts.length);
  const documents = [...declared].flatMap(([ref, rollout]) => (rollout === undefined ? [] : [ref])).sort();
  const waves = wavesOf(hosts, byName);
  const alone = hosts.length === 1 && documents.length === 0;
  const unitsOf = membershipOf(byName, rules.spread);
  const apart = sharedUnits([...byName.keys()], unitsOf).filter((unit) =>
    hosts.some(({ host }) => unit.includes(host)),
  );
  return {
    rules,
    stages: alone ? atOnce(waves) : stagesOf(waves, rules, unitsOf),
    documents,
    ...(apart.length === 0 ? {} : { apart }),
    ...unitsByHost(hosts, unitsOf),
  };
}

function unitsByHost(plans: readonly HostPlan[], unitsOf: Membership): Pick<PlanRollout, 'units'> {
  const units = plans.flatMap(({ host }) => {
    const own = unitsOf(host);
    return own.length === 0 ? [] : [[host, own] as const];
  });
  return units.length === 0 ? {} : { units: Object.fromEntries(units) };
}

/** What the digest covers: whoever changes when a host's turn is, or when to stop, needs a new approval. */
export function rolloutEssence({ rules, stages }: PlanRollout) {
  return { rules, stages };
}

/** Hosts without a step that stand in for those that have one. */
export function matesOf({ hosts, rollout }: Pick<Plan, 'hosts' | 'rollout'>): readonly string[] {
  const changed = new Set(hosts.flatMap(({ host, steps }) => (steps.length > 0 ? [host] : [])));
  return [...new Set(rollout?.apart?.flat())].filter((name) => !changed.has(name));
}

/** The documents that have a step, each with what it declares. */
function declaredBy(
  plans: readonly HostPlan[],
  byName: ReadonlyMap<string, ResolvedHost>,
): ReadonlyMap<string, Rollout | undefined> {
  const declared = new Map<string, Rollout | undefined>();
  for (const { host, steps } of plans) {
    const documents = new Map(
      byName.get(host)?.documents.map((document) => [document.ref as string, document]),
    );
    for (const { document } of steps)
      declared.set(document, documents.get(document)?.rollout ?? declared.get(document));
  }
  return declared;
}

function wavesOf(plans: readonly HostPlan[], byName: ReadonlyMap<string, ResolvedHost>) {
  const placed = plans
    .map((plan): Placed & { readonly plan: HostPlan } => ({
      name: plan.host,
      site: byName.get(plan.host)?.server.site ?? '',
      plan,
    }))
    .sort(hostOrder);
  const waves = [...new Set(plans.flatMap(({ steps }) => steps.map(({ wave }) => wave)))].sort(
    (a, b) => a - b,
  );
  return waves.map((wave) => ({
    wave,
    hosts: placed.filter(({ plan }) => plan.steps.some((step) => step.wave === wave)).map(({ name }) => name),
  }));
}
