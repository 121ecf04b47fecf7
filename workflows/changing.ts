import { condition } from '@temporalio/workflow';
import type { RolloutStage, RunRef } from '../engine/activities/types.ts';
import { causeOf } from './cause.ts';
import { type Control, isUnwanted } from './control.ts';
import { endedBy, type Fleet, fail, rolloutOf, touch } from './fleet.ts';
import { applyHost, cancelHost } from './sites.ts';

/** Hosts that one run changes, or puts back, at the same time. */
export const HOSTS_AT_ONCE = 25;

/** Runs the steps of a stage on its hosts. Once it must not go on, the others are told to stop before their next step. */
export async function changeTogether(
  run: RunRef,
  { wave, hosts }: RolloutStage,
  canaries: readonly string[],
  fleet: Fleet,
  control: Control,
): Promise<void> {
  const queue = [...hosts];
  const running = new Set<string>();
  let stopping = false;
  const stopOthers = async (): Promise<void> => {
    stopping = true;
    await Promise.all([...running].map((host) => cancelHost(run, host, wave).catch(() => undefined)));
  };
  const worker = async (): Promise<void> => {
    for (let host = queue.shift(); host !== undefined; host = queue.shift()) {
      if (stopping || isUnwanted(control)) return;
      running.add(host);
      touch(fleet, host, wave);
      const reason = await applyOne(run, host, wave, fleet);
      running.delete(host);
      if (reason === undefined) continue;
      fail(fleet, { host, reason });
      if (!stopping && endedBy(fleet, rolloutOf(run), canaries) !== undefined) await stopOthers();
    }
  };
  condition(() => isUnwanted(control)).then(stopOthers, () => undefined);
  await Promise.all(Array.from({ length: Math.min(HOSTS_AT_ONCE, queue.length) }, worker));
}

/** Undefined when its steps are done, or when it was told to stop. */
async function applyOne(run: RunRef, host: string, wave: number, fleet: Fleet): Promise<string | undefined> {
  try {
    const outcome = await applyHost(run, host, wave);
    if (outcome.kind === 'applied') fleet.done.set(host, wave);
    return outcome.kind === 'failed' ? outcome.reason : undefined;
  } catch (error) {
    return `${host}: ${causeOf(error)}`;
  }
}
