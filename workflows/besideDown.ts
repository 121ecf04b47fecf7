import type { HostFailure, RunRef } from '../engine/activities/types.ts';
import type { Stop } from './applying.ts';
import { type Fleet, rolloutOf } from './fleet.ts';
import { silentHosts } from './sites.ts';

/**
 * Of hosts that are to be changed now, those of which another member of their unit failed, does not answer, or needs recovery: somebody of it
 * has to serve. They are left out; where the rollout takes who does not answer for a failure, or one of them is changed in part already,
 * the run stops.
 */
export async function leaveBesideDown(
  run: RunRef,
  hosts: readonly string[],
  fleet: Fleet,
): Promise<Stop | undefined> {
  const { apart = [], unreachable } = rolloutOf(run);
  if (apart.length === 0) return undefined;
  const failed = fleet.failed.map(({ host }) => host);
  const mates = [...new Set(hosts.flatMap((host) => matesOf(host, apart)))];
  const silent = await silentHosts(
    run,
    mates.filter((mate) => !failed.includes(mate)),
  );
  const beside = besideDown(hosts, apart, [...failed, ...silent]);
  const ends = unreachable === 'fail' ? besideDown(hosts, apart, silent) : [];
  const [first] = [...ends, ...beside.filter(({ host }) => fleet.touched.has(host))];
  if (first !== undefined) return { kind: 'failed', reason: `${first.host}: ${first.reason}` };
  fleet.later.push(...beside);
  return undefined;
}

/** `apart`: units of hosts. */
export function besideDown(
  hosts: readonly string[],
  apart: readonly (readonly string[])[],
  down: readonly string[],
): readonly HostFailure[] {
  return hosts.flatMap((host) => {
    const mate = matesOf(host, apart).find((other) => down.includes(other));
    const reason = `${mate}, which it stands in for, failed, cannot be reached or needs recovery`;
    return mate === undefined ? [] : [{ host, reason }];
  });
}

function matesOf(host: string, apart: readonly (readonly string[])[]): readonly string[] {
  return apart
    .filter((unit) => unit.includes(host))
    .flatMap((unit) => unit.filter((other) => other !== host));
}
