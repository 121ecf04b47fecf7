import { condition } from '@temporalio/workflow';
import type { RunRef } from '../engine/activities/types.ts';
import { type Room, roomBeside } from './budget.ts';
import { type Control, isUnwanted, show } from './control.ts';
import { type Fleet, progressOf, rolloutOf } from './fleet.ts';
import { silentHosts } from './sites.ts';

/** Between two looks for a host that is waited for; it grows to the longest. Seconds. */
const LOOK_AGAIN_SECONDS = 5;
const LOOK_AGAIN_SECONDS_MAX = 15;
/** Then a host that is waited for has failed. Milliseconds. */
const WAIT_MAX_MS = 24 * 3600 * 1000;

/** Looks again and again, until there is an answer, somebody stops the run, or a day is over: then the last answer holds. */
export async function lookUntil<T>(
  control: Control,
  look: () => Promise<T>,
  isAnswer: (found: T) => boolean,
  waiting: (found: T) => Promise<void>,
): Promise<T> {
  const started = Date.now();
  for (let pause = LOOK_AGAIN_SECONDS; ; pause = Math.min(pause * 2, LOOK_AGAIN_SECONDS_MAX)) {
    const found = await look();
    if (isAnswer(found) || isUnwanted(control) || Date.now() - started > WAIT_MAX_MS) return found;
    await waiting(found);
    await condition(() => isUnwanted(control), pause * 1000);
  }
}

/**
 * How many of these hosts may be changed now, beside those of the plan that are down already. Where that is none, those that do
 * not answer are waited for if the rollout says so; else the sentence says who is down.
 */
export async function roomFor(
  run: RunRef,
  hosts: readonly string[],
  at: number,
  fleet: Fleet,
  control: Control,
): Promise<number | string> {
  const { maxUnavailable, unreachable } = rolloutOf(run);
  if (maxUnavailable === undefined) return hosts.length;
  const failed = fleet.failed.map(({ host }) => host);
  const others = [...run.plan.hosts.map(({ name }) => name), ...(run.plan.skipped ?? [])];
  const room = await lookUntil(
    control,
    async (): Promise<Room> => {
      const asked = others.filter((host) => !hosts.includes(host) && !failed.includes(host));
      return roomBeside({ maxUnavailable, failed, silent: await silentHosts(run, asked) });
    },
    (found) => found.kind === 'some' || unreachable !== 'wait' || !found.passes,
    async (found) => {
      const awaited = found.kind === 'none' ? found.down.filter((host) => !failed.includes(host)) : [];
      const more = { awaited, most: maxUnavailable };
      await show(run, { kind: 'applying', rollout: progressOf(fleet, at, 'waiting', more) });
    },
  );
  if (room.kind === 'some') return Math.min(room.hosts, hosts.length);
  return `No further server is changed: at most ${maxUnavailable} may be unavailable, and ${room.down.join(', ')} failed or cannot be reached`;
}
