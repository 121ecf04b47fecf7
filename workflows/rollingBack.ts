import { patched } from '@temporalio/workflow';
import type { RunRef } from '../engine/activities/types.ts';
import { causeOf } from './cause.ts';
import { HOSTS_AT_ONCE } from './changing.ts';
import { show } from './control.ts';
import { type Fleet, rolloutOf } from './fleet.ts';
import type { FinalPhase } from './phases.ts';
import { silentHosts, undoHost as undoOnSite } from './sites.ts';
import { undoGroups } from './undoOrder.ts';

/** Waves in reverse, each in groups as large as the rollout's batches. What cannot be put back is listed for a person. */
export async function rollBack(run: RunRef, fleet: Fleet, reason: string): Promise<FinalPhase> {
  await show(run, { kind: 'rolling-back', reason });
  const remains: string[] = [];
  for (const wave of [...run.plan.waves].reverse()) {
    for (const group of await groupsOf(
      run,
      fleet.failed.map(({ host }) => host),
      toUndo(run, fleet, wave),
    ))
      remains.push(...(await Promise.all(group.map((host) => undoOne(run, host, wave)))).flat());
  }
  return remains.length === 0 ? { kind: 'rolled-back', reason } : { kind: 'held', reason, remains };
}

/** Nobody pauses or probes in between: what is worse than the change before is not kept any longer than it has to be. */
export async function groupsOf(
  run: RunRef,
  failed: readonly string[],
  hosts: readonly string[],
): Promise<readonly (readonly string[])[]> {
  if (hosts.length < 2 || !patched('undo-in-batches')) return [hosts];
  const { stages, apart = [] } = rolloutOf(run);
  const turns = stages.flatMap((stage) => stage.hosts);
  const ordered = [...hosts].sort((a, b) => turns.indexOf(a) - turns.indexOf(b));
  const silent = await silentHosts(run, hosts).catch(() => []);
  const largest = Math.max(...stages.map((stage) => stage.hosts.length));
  return undoGroups(ordered, { failed, silent, atOnce: Math.min(largest, HOSTS_AT_ONCE), apart });
}

/** A host whose turn had not come is not touched now either. */
function toUndo({ plan }: RunRef, fleet: Fleet, wave: number): readonly string[] {
  const touched = (host: string): boolean => fleet.touched.get(host)?.includes(wave) === true;
  return plan.hosts
    .filter((host) => host.waves.includes(wave) && (plan.rollout === undefined || touched(host.name)))
    .map((host) => host.name);
}

/** Takes back all that was done on one host; what could not be is returned, and stays on the list. */
export async function undoHost(run: RunRef, fleet: Fleet, host: string): Promise<readonly string[]> {
  for (const wave of [...(fleet.touched.get(host) ?? [])].reverse()) {
    const remains = await undoOne(run, host, wave);
    if (remains.length > 0) return remains;
  }
  fleet.touched.delete(host);
  return [];
}

async function undoOne(run: RunRef, host: string, wave: number): Promise<readonly string[]> {
  try {
    const outcome = await undoOnSite(run, host, [wave]);
    return outcome.kind === 'rolled-back' ? [] : [outcome.reason];
  } catch (error) {
    return [`${host}: could not be rolled back: ${causeOf(error)}`];
  }
}
