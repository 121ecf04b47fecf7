import type { FleetRevision } from '../../engine/activities/types.ts';
import type { Lab, LabHost } from '../../lab/hosts.ts';
import { median, rounded } from '../measure.ts';
import { progress } from '../report.ts';
import { BASE } from './lab.ts';
import type { Ours } from './ours.ts';
import type { Peers } from './peers.ts';

/** Median seconds of a plan by the number of hosts. The further hosts are brought to the same state by the script. */
export async function planBySize(
  ours: Ours,
  peers: Peers,
  lab: Lab,
  revision: FleetRevision,
  first: readonly LabHost[],
  sizes: readonly number[],
  runs: number,
): Promise<Readonly<Record<string, number>>> {
  const hosts = [...first];
  const seconds: Record<string, number> = {};
  for (const size of sizes) {
    progress(`bringing the fleet to ${size} hosts`);
    const names = Array.from({ length: size - hosts.length }, (_, n) => `more-${hosts.length + n + 1}`);
    const added = await lab.up(names, BASE);
    hosts.push(...added);
    await peers.script(added);
    const larger = await ours.extend(revision, hosts);
    const { plan } = await ours.plan(larger);
    const steps = plan.hosts.flatMap((host) => host.steps);
    if (steps.length > 0)
      throw new Error(`${steps.length} steps are left of ${size} hosts: ${steps[0]?.summary}`);
    const all: number[] = [];
    for (let run = 0; run < runs; run += 1) all.push((await ours.plan(larger)).seconds);
    seconds[size] = rounded(median(all));
    progress(`plan of ${size} hosts: ${seconds[size]} s`);
  }
  return seconds;
}
