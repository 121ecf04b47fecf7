import type { Engine } from './engine.ts';
import { type HostPlanning, isAway } from './planning.ts';
import { type PlanningOptions, planRevision } from './pull.ts';
import { patientTransport } from './reaching.ts';
import type { DesiredHosts } from './revisions.ts';
import type { PlanRef, PullRef } from './types.ts';

/**
 * A host that does not answer, such as one that reboots, is waited for as in apply: what went wrong is thrown, for Temporal to try
 * again, until DOAAS_HOST_OUTAGE_SECONDS are over.
 */
export async function planPatiently(
  engine: Engine,
  pull: PullRef,
  resolved: DesiredHosts,
  headSha: string,
  options: PlanningOptions,
): Promise<readonly HostPlanning[]> {
  const patient = { ...engine, transport: patientTransport(engine) };
  const plannings = await planRevision(patient, pull, resolved, headSha, options);
  const away = plannings.find((each) => each.kind === 'problem' && isAway(each.cause));
  if (away?.kind === 'problem') throw away.cause;
  return plannings;
}

/** The rollout has its own rule for hosts that do not answer: it skips them, or waits for them itself. */
export function awaitsHosts({ rollout }: PlanRef): boolean {
  return (rollout?.unreachable ?? 'fail') !== 'fail';
}
