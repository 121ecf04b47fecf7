import type { FleetPart, FleetPlan, FleetRevision } from '../engine/activities/types.ts';
import { reading, readingAt } from './activities.ts';
import { whileServed } from './sites.ts';

/** Plans a whole commit on its hosts as they are now; changes nothing. The plan is in the store by its digest. */
export async function planRevision(revision: FleetRevision): Promise<FleetPlan> {
  const first = await reading.planFleet(revision, 0);
  const { elsewhere = [] } = first;
  if (first.next === undefined && elsewhere.length === 0) return first.plan;
  const rest = await Promise.all(startsAfter(first).map((start) => reading.planFleet(revision, start)));
  const own = [first, ...rest].map((part) => part.plan);
  if (elsewhere.length === 0) return reading.joinFleet(revision, own);
  const away = await Promise.all(elsewhere.map((site) => whileServed(site, () => planAt(site, revision))));
  const unserved = elsewhere.filter((_, i) => away[i] === undefined);
  return reading.joinFleet(revision, [...own, ...away.flatMap((plans) => plans ?? [])], unserved);
}

function startsAfter({ next, total }: FleetPart): readonly number[] {
  const starts: number[] = [];
  if (next !== undefined) for (let start = next; start < total; start += next) starts.push(start);
  return starts;
}

async function planAt(site: string, revision: FleetRevision): Promise<readonly FleetPlan[]> {
  const first = await readingAt(site).planFleet(revision, 0, site);
  const rest = await Promise.all(
    startsAfter(first).map((start) => readingAt(site).planFleet(revision, start, site)),
  );
  return [first, ...rest].map((part) => part.plan);
}
