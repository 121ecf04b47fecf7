import { hostOrder, type Placed } from '../rollout/hostOrder.ts';
import { DEFAULT_ROLLOUT, type Rollout } from '../rollout/rollout.ts';
import { atOnce, type Stage, stagesOf } from '../rollout/stages.ts';
import { type Rules, strictest } from '../rollout/strictest.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { HostPlan } from './step.ts';
import { membershipOf, sharedUnits } from './units.ts';

/** How a plan reaches its hosts: part of what is approved. */
export interface PlanRollout {
  readonly rules: Rules;
  /** In this order. */
  readonly stages: readonly Stage[];
  /** Documents that declare the rollouts whose strictest rules hold. Not part of the digest. */
  readonly documents: readonly string[];
  /** Hosts that are never changed, nor put back, together. Left out: none. The stages follow from it, so the digest covers it. */
  readonly apart?: readonly (readonly string[])[];
}

/** Undefined where the plan has no step. `resolved`: at least all hosts that have steps. */
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
  const apart = sharedUnits(
    hosts.map(({ host }) => host),
    unitsOf,
  );
  return {
    rules,
    stages: alone ? atOnce(waves) : stagesOf(waves, rules, unitsOf),
    documents,
    ...(apart.length === 0 ? {} : { apart }),
  };
}

/** What the digest covers: whoever changes when a host's turn is, or when to stop, needs a new approval. */
export function rolloutEssence({ rules, stages }: PlanRollout) {
  return { rules, stages };
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
