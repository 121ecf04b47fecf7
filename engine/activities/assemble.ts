import { hostDigest, planDigest } from '../plan/digest.ts';
import type { HostPlan, Plan } from '../plan/step.ts';
import type { HostPlanning } from './planning.ts';

export interface Assembled {
  readonly plan: Plan;
  readonly plannings: readonly HostPlanning[];
  readonly problems: readonly {
    readonly host: string;
    readonly message: string;
    readonly away: boolean;
    readonly cause: unknown;
  }[];
  /** Findings that forbid the plan. */
  readonly errors: readonly string[];
}

/** `dropped`: servers that the change takes out of the repository; nothing is done on them, and the plan says so. */
export function assemble(
  plannings: readonly HostPlanning[],
  dropped: readonly string[] = [],
  skipped: readonly HostPlan[] = [],
): Assembled {
  const hosts = [
    ...plannings.flatMap((planning) => (planning.kind === 'planned' ? [planning.plan] : [])),
    ...skipped,
    ...dropped.map(droppedHost),
  ];
  const problems = plannings.flatMap((planning) => (planning.kind === 'problem' ? [planning] : []));
  const errors = hosts.flatMap((host) =>
    host.findings
      .filter((finding) => finding.severity === 'error')
      .map((finding) => `${host.host}: ${finding.message}`),
  );
  return { plan: { kind: 'plan', hosts, digest: planDigest(hosts) }, plannings, problems, errors };
}

function droppedHost(host: string): HostPlan {
  const message = `${host} leaves the repository: it stays as it is and is no longer managed. To take changes off it first, remove its configurations in a pull request of their own`;
  const finding = {
    kind: 'finding' as const,
    severity: 'info' as const,
    host,
    document: `Server/${host}`,
    message,
  };
  return { kind: 'host-plan', host, steps: [], findings: [finding], digest: hostDigest(host, []) };
}
