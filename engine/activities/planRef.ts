import type { PlanRollout } from '../plan/rollout.ts';
import type { Plan } from '../plan/step.ts';
import { identityOf } from './identity.ts';
import type { ResolvedRevision } from './revisions.ts';
import { replaces, shownAt } from './shownAt.ts';
import type { PlannedHost, PlanRef, Revision, RolloutRef } from './types.ts';

/** A plan that belongs to no pull request, or is a part of one, is stored under this number. */
export const NO_PULL = 0;

/** Enough of a plan to decide and to run. The same plan of the same head keeps its time, and with it its approvals. */
export function planRef(
  plan: Plan,
  { headSha, baseSha }: Revision,
  resolved: Pick<Extract<ResolvedRevision, { kind: 'resolved' }>, 'changed'>,
  previous: PlanRef | undefined,
  skipped: readonly string[],
  now: Date,
): PlanRef {
  const servers = new Map(resolved.changed.map((host) => [host.name, host.server]));
  const hosts = plan.hosts.flatMap((host): readonly PlannedHost[] => {
    const server = servers.get(host.host);
    if (server === undefined || host.steps.length === 0) return [];
    const { digest, steps } = host;
    const waves = [...new Set(steps.map((step) => step.wave))].sort((a, b) => a - b);
    return [
      {
        name: host.host,
        identity: identityOf(server),
        site: server.site,
        digest,
        steps: steps.length,
        waves,
      },
    ];
  });
  const waves = [...new Set(hosts.flatMap((host) => host.waves))].sort((a, b) => a - b);
  const named = { digest: plan.digest, headSha };
  return {
    ...named,
    baseSha,
    hosts,
    waves,
    ...(plan.rollout === undefined ? {} : { rollout: rolloutRef(plan.rollout) }),
    ...(skipped.length === 0 ? {} : { skipped }),
    shownAt: shownAt(named, previous, now),
    ...(replaces(named, previous) ? { replaces: true } : {}),
  };
}

function rolloutRef({ rules, stages, apart, units }: PlanRollout): RolloutRef {
  const { probes, failureBudget, onExceeded, unreachable, maxUnavailable } = rules;
  const bound = maxUnavailable === undefined ? {} : { maxUnavailable };
  return {
    stages,
    probes,
    failureBudget,
    onExceeded,
    unreachable,
    ...bound,
    ...(apart === undefined ? {} : { apart }),
    ...(units === undefined ? {} : { units }),
  };
}
