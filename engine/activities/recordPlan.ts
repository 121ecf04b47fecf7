import type { PlanName } from '../github/render/views.ts';
import { recordName } from '../github/workflowIds.ts';
import { hostDigest, recordDigest } from '../plan/digest.ts';
import type { HostPlan } from '../plan/step.ts';
import type { Assembled } from './assemble.ts';
import { type Engine, planNamed } from './engine.ts';
import type { PullRef, Revision } from './types.ts';

/**
 * Keeps a plan that nobody can apply, because it failed or has no steps, so that what its check and comment cut can be
 * read whole like that of any other.
 */
export async function recordPlan(
  engine: Pick<Engine, 'planUrl'> & { readonly store: Pick<Engine['store'], 'plans'> },
  { repository: of, number }: PullRef,
  { headSha, baseSha }: Revision,
  { plan, problems }: Pick<Assembled, 'plan' | 'problems'>,
): Promise<PlanName> {
  const hosts = [...plan.hosts, ...problems.map(unreadHost)];
  const repository = recordName(of);
  const digest = recordDigest(repository, hosts);
  await engine.store.plans.save({ ...plan, hosts, digest }, { repository, number, headSha, baseSha });
  return planNamed(engine, { digest, headSha, baseSha });
}

function unreadHost({ host, message }: Assembled['problems'][number]): HostPlan {
  const finding = {
    kind: 'finding' as const,
    severity: 'error' as const,
    host,
    document: `Server/${host}`,
    message,
  };
  return { kind: 'host-plan', host, steps: [], findings: [finding], digest: hostDigest(host, []) };
}
