import { hostDigest, planDigest } from '../plan/digest.ts';
import { planRollout } from '../plan/rollout.ts';
import type { HostPlan } from '../plan/step.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Assembled } from './assemble.ts';
import type { HostPlanning } from './planning.ts';

/** The plan with the order of its hosts, which its digest covers. `resolved`: all hosts of the repository. */
export function withRollout(made: Assembled, resolved: readonly ResolvedHost[]): Assembled {
  const { hosts } = made.plan;
  const rollout = planRollout(hosts, resolved);
  if (rollout === undefined) return made;
  return { ...made, plan: { kind: 'plan', hosts, rollout, digest: planDigest(hosts, rollout) } };
}

/**
 * Hosts that did not answer while planning and whose documents say that such hosts are skipped. None where no host is
 * left: then there is nothing to approve, and the plan fails as it would without skipping.
 */
export function skipAway(
  plannings: readonly HostPlanning[],
  resolved: readonly ResolvedHost[],
): { readonly kept: readonly HostPlanning[]; readonly skipped: readonly HostPlan[] } {
  const byName = new Map(resolved.map((host) => [host.name, host]));
  const isSkipped = (planning: HostPlanning): boolean =>
    planning.kind === 'problem' && planning.away && maySkip(byName.get(planning.host));
  const kept = plannings.filter((planning) => !isSkipped(planning));
  if (kept.length === 0) return { kept: plannings, skipped: [] };
  const skipped = plannings.flatMap((planning) =>
    planning.kind === 'problem' && isSkipped(planning)
      ? [skippedHost(planning.host, planning.message, byName.get(planning.host))]
      : [],
  );
  return { kept, skipped };
}

/** Its steps are not known, so all documents of the host that declare a rollout must agree. */
function maySkip(host: ResolvedHost | undefined): boolean {
  const ways = host?.documents.flatMap(({ rollout }) => (rollout === undefined ? [] : [rollout.unreachable]));
  return ways !== undefined && ways.length > 0 && ways.every((way) => way === 'skip');
}

function skippedHost(host: string, why: string, resolved: ResolvedHost | undefined): HostPlan {
  const document = resolved?.documents.find(({ rollout }) => rollout !== undefined)?.ref ?? `Server/${host}`;
  const message = `${host} is skipped, as the rollout says: ${why}. It stays as it is; plan again when it is back`;
  const finding = { kind: 'finding' as const, severity: 'warning' as const, host, document, message };
  return { kind: 'host-plan', host, steps: [], findings: [finding], digest: hostDigest(host, []) };
}
