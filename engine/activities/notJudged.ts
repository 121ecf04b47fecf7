import type { Plan } from '../plan/step.ts';
import type { Engine } from './engine.ts';
import type { RunRef } from './types.ts';

/** Between the opening of a window and the run that waited for it. Milliseconds. */
const BEGINS_WITHIN_MS = 5 * 60_000;

/** Of pull requests that were merged and wait for their window: to adopt what is on servers would take these changes back. */
export async function mergedPlans(
  { store }: Pick<Engine, 'store'>,
  repository: string,
  at: number,
): Promise<readonly Plan[]> {
  const digests = await store.verdicts.mergedBeforeWindow(repository, at - BEGINS_WITHIN_MS);
  const plans = await Promise.all(digests.map((digest) => store.plans.get(digest)));
  return plans.filter((plan) => plan !== undefined);
}

/** Hosts that a run of this repository may have been changing while they were read; a dead one changes nothing any more. */
export async function busyHosts(
  { store }: Pick<Engine, 'store'>,
  name: string,
  since: number,
): Promise<ReadonlySet<string>> {
  const busy = new Set<string>();
  for await (const { state, detail } of store.runs.activeSince(name, since)) {
    if (state === 'needs-recovery') continue;
    const { ref } = (detail ?? {}) as { readonly ref?: RunRef };
    for (const host of ref?.plan.hosts ?? []) busy.add(host.name);
  }
  return busy;
}
