import { condition, patched } from '@temporalio/workflow';
import type { RunRef } from '../engine/activities/types.ts';
import { type Room, roomBeside } from './budget.ts';
import { type Control, isUnwanted, show } from './control.ts';
import { type Fleet, progressOf, rolloutOf } from './fleet.ts';
import { lookAgainAfter, WAIT_MAX_MS } from './lookRetry.ts';
import { silentHosts } from './sites.ts';

/** Looks again and again, until there is an answer, somebody stops the run, or a day is over: then the last answer holds. */
export async function lookUntil<T>(
  control: Control,
  look: () => Promise<T>,
  isAnswer: (found: T) => boolean,
  waiting: (found: T) => Promise<void>,
): Promise<T> {
  const started = Date.now();
  for (let looks = 1; ; looks += 1) {
    const found = await look();
    if (isAnswer(found) || isUnwanted(control) || Date.now() - started > WAIT_MAX_MS) return found;
    await waiting(found);
    await condition(() => isUnwanted(control), lookAgainAfter(looks));
  }
}

/** `waited`: it took a while, so that those hosts may be down themselves by now. */
export type RoomFound =
  | { readonly kind: 'room'; readonly hosts: number; readonly waited: boolean }
  | { readonly kind: 'none'; readonly reason: string };

/**
 * How many of these hosts, the first of them, may be changed now, beside those of the plan that are down already, be their turn
 * over, still to come, or among these and not yet now. Where that is none, those that do not answer are waited for if the rollout says so;
 * else the sentence says who is down.
 */
export async function roomFor(
  run: RunRef,
  hosts: readonly string[],
  at: number,
  fleet: Fleet,
  control: Control,
): Promise<RoomFound> {
  const { maxUnavailable, unreachable } = rolloutOf(run);
  if (maxUnavailable === undefined) return { kind: 'room', hosts: hosts.length, waited: false };
  let waited = false;
  const failed = fleet.failed.map(({ host }) => host);
  const all = [...run.plan.hosts.map(({ name }) => name), ...(run.plan.skipped ?? [])];
  const group = patched('room-beside-batch') ? hosts : [];
  const room = await lookUntil(
    control,
    async (): Promise<Room> => {
      const others = all.filter((host) => !hosts.includes(host) && !failed.includes(host));
      const silent = await silentHosts(run, [...group, ...others]);
      return roomBeside({ maxUnavailable, failed, silent, group });
    },
    (found) => found.kind === 'some' || unreachable !== 'wait' || !found.passes,
    async (found) => {
      waited = true;
      const awaited = found.kind === 'none' ? found.down.filter((host) => !failed.includes(host)) : [];
      const more = { awaited, most: maxUnavailable };
      await show(run, { kind: 'applying', rollout: progressOf(fleet, at, 'waiting', more) });
    },
  );
  if (room.kind === 'some') return { kind: 'room', hosts: Math.min(room.hosts, hosts.length), waited };
  const reason = `No further server is changed: at most ${maxUnavailable} may be unavailable, and ${room.down.join(', ')} failed or cannot be reached`;
  return { kind: 'none', reason };
}
