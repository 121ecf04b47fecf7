import type { FleetPart, FleetPlan, FleetRevision } from '../engine/activities/types.ts';
import { reading } from './activities.ts';

/** Plans a whole commit on its hosts as they are now; changes nothing. The plan is in the store by its digest. */
export async function planRevision(revision: FleetRevision): Promise<FleetPlan> {
  const first = await reading.planFleet(revision, 0);
  if (first.next === undefined) return first.plan;
  const starts: number[] = [];
  for (let start = first.next; start < first.total; start += first.next) starts.push(start);
  const rest = await Promise.all(starts.map((start) => reading.planFleet(revision, start)));
  const parts: readonly FleetPart[] = [first, ...rest];
  return reading.joinFleet(
    revision,
    parts.map((part) => part.plan),
  );
}
