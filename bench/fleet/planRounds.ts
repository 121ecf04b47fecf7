import type { FleetRevision } from '../../engine/activities/types.ts';
import type { Plan } from '../../engine/plan/step.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { rounded, timed } from '../measure.ts';
import { progress } from '../report.ts';
import { ALTERATIONS, type Alteration } from './items.ts';
import { login } from './login.ts';
import type { Ours } from './ours.ts';
import type { Peers } from './peers.ts';

export interface PlanSeconds {
  readonly ours: number[];
  readonly login: number[];
  readonly pyinfra: number[];
  readonly ansible: number[];
  readonly altered: number;
  readonly found: number;
}

/** Plans of the converged fleet with one item altered, by each tool in turn. */
export async function planRounds(
  ours: Ours,
  peers: Peers,
  revision: FleetRevision,
  hosts: readonly LabHost[],
  runs: number,
): Promise<PlanSeconds> {
  await converged(ours, revision);
  const seconds = {
    ours: [] as number[],
    login: [] as number[],
    pyinfra: [] as number[],
    ansible: [] as number[],
  };
  let found = 0;
  for (let run = 0; run < runs; run += 1) {
    const alteration = ALTERATIONS[run % ALTERATIONS.length];
    if (alteration === undefined) break;
    await act(hosts, alteration, 'spoil');
    const planned = await ours.plan(revision);
    if (isFound(planned.plan, alteration, hosts)) found += 1;
    else progress(`NOT FOUND: ${alteration.item}`);
    seconds.ours.push(planned.seconds);
    seconds.login.push((await timed(() => login(hosts))).seconds);
    seconds.pyinfra.push((await peers.pyinfra('plan', hosts)).seconds);
    seconds.ansible.push((await peers.ansible('plan', hosts)).seconds);
    await act(hosts, alteration, 'mend');
    progress(
      `plan ${run + 1} of ${runs}: ${Object.entries(seconds)
        .map(([name, all]) => `${name} ${rounded(all.at(-1) ?? 0)} s`)
        .join(', ')}`,
    );
  }
  return { ...seconds, altered: seconds.ours.length, found };
}

/** Also warms the engine up, which has run for a while in real life. */
async function converged(ours: Ours, revision: FleetRevision): Promise<void> {
  const { plan } = await ours.plan(revision);
  const left = plan.hosts.flatMap((host) => host.steps.map((step) => `${host.host}: ${step.summary}`));
  if (left.length > 0) throw new Error(`the fleet is not converged: ${left.slice(0, 5).join('; ')}`);
}

async function act(hosts: readonly LabHost[], alteration: Alteration, what: 'spoil' | 'mend'): Promise<void> {
  const host = hosts[alteration.host];
  if (host === undefined) throw new Error(`there is no host ${alteration.host}`);
  const ran = await host.exec(alteration[what]);
  if (ran.code !== 0) throw new Error(`${alteration[what]} failed on ${host.name}: ${ran.stderr}`);
}

/** The altered item is in the plan of its host, and no other host has any step. */
function isFound(plan: Plan, alteration: Alteration, hosts: readonly LabHost[]): boolean {
  const address = hosts[alteration.host]?.address;
  const changed = plan.hosts.filter((host) => host.steps.length > 0);
  const items = changed.flatMap((host) => host.steps.flatMap((step) => Object.keys(step.before)));
  return (
    address !== undefined &&
    changed.length === 1 &&
    changed[0]?.host === `web-${alteration.host + 1}` &&
    items.includes(alteration.item)
  );
}
