import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Disruption } from '../operations/operation.ts';
import type { Plan } from '../plan/step.ts';

/**
 * `systemctl reload` returns once the service was told; until it has obeyed, its old processes answer as before, and a
 * probe would pass that fails a moment later. nginx, for one, starts its new workers first. Milliseconds.
 */
const OBEYS_WITHIN_MS = 1_000;

const UNDISTURBED: ReadonlySet<Disruption> = new Set(['none']);

/** Gives the services that this plan reloads or restarts on these hosts the time to obey. */
export async function untilSteady(plan: Plan | undefined, hosts: readonly string[]): Promise<void> {
  if (plan !== undefined && disturbsServices(plan, hosts))
    await sleep(OBEYS_WITHIN_MS, undefined, { signal: Context.current().cancellationSignal });
}

export function disturbsServices(plan: Plan, hosts: readonly string[]): boolean {
  return plan.hosts.some(
    ({ host, steps }) => hosts.includes(host) && steps.some(({ disruption }) => !UNDISTURBED.has(disruption)),
  );
}
