import { condition } from '@temporalio/workflow';
import type { RolloutProgress, RunRef, WindowShut } from '../engine/activities/types.ts';
import { SITE_OUTAGE_MAX_MS, short } from './activities.ts';
import { causeOf } from './cause.ts';
import { type Control, isUnwanted, show } from './control.ts';
import { leastWait } from './early.ts';
import { type Fleet, leftOutOf, progressOf } from './fleet.ts';
import { confirmRest } from './sites.ts';

/** The policy may open a window sooner than it said, or take it away. Some 8 events each time: a freeze of three weeks costs 8,000. */
const LOOK_AGAIN_MS = 30 * 60_000;

/**
 * Before servers are changed, never in the middle of one, nor before anything is put back. `open`: go on at once; `opened`: only
 * now, and all was compared again; `unwanted`: somebody stopped the run meanwhile; `later`: it ends here, with what is done. Else
 * why it must end.
 */
export async function throughWindow(
  run: RunRef,
  at: number,
  fleet: Fleet,
  control: Control,
): Promise<'open' | 'opened' | 'unwanted' | 'later' | { readonly reason: string }> {
  if (fleet.windows.length === 0) return 'open';
  let state = await short.windowNow(fleet.windows);
  if (state.kind === 'open') return 'open';
  // what is done is as good without the rest, which the next window goes on with
  if (run.correction?.maintenance === true) return 'later';
  // nobody would be asked meanwhile, and its servers would stay locked
  if (run.correction !== undefined) return { reason: 'The change window shut before all was put back' };
  for (let early = 0, unservedSince: number | undefined; ; ) {
    await show(run, { kind: 'applying', rollout: waitingFor(state, fleet, at) });
    const left = leftOf(state);
    await condition(() => isUnwanted(control), Math.min(Math.max(left, leastWait(early)), LOOK_AGAIN_MS));
    if (left <= LOOK_AGAIN_MS && state.unserved === undefined) early += 1;
    if (isUnwanted(control)) return 'unwanted';
    const leftOut = leftOutOf(fleet, run).map(({ host }) => host);
    const rest = await confirmRest(run, leftOut).catch((error: unknown) => {
      return { kind: 'changed' as const, reason: causeOf(error) };
    });
    if (rest.kind === 'changed') return { reason: `The change window opened, but ${rest.reason}` };
    if (rest.kind === 'unchanged') {
      fleet.windows = rest.windows ?? [];
      return 'opened';
    }
    unservedSince = sinceWhen(rest, unservedSince, Date.now());
    if (rest.unserved !== undefined && isGivenUp(unservedSince, Date.now()))
      return { reason: `The change window opened, but ${rest.unserved.reason}` };
    state = rest;
  }
}

/** `since`: when nobody was found to serve a site, if that is so still. Epoch ms. */
export function sinceWhen(
  { unserved }: WindowShut,
  since: number | undefined,
  now: number,
): number | undefined {
  return unserved === undefined ? undefined : (since ?? now);
}

/** Epoch ms. */
export function isGivenUp(since: number | undefined, now: number): boolean {
  return since !== undefined && now - since >= SITE_OUTAGE_MAX_MS;
}

function waitingFor(state: WindowShut, fleet: Fleet, at: number): RolloutProgress {
  if (state.unserved === undefined) return progressOf(fleet, at, 'shut', untilOf(state));
  return progressOf(fleet, at, 'waiting', { awaited: state.unserved.hosts });
}

function untilOf({ until }: WindowShut): { readonly until?: string } {
  return until === undefined ? {} : { until };
}

/** Milliseconds until it opens, by the workflow's clock. */
function leftOf({ until, aheadMs = 0 }: WindowShut): number {
  return until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until) + aheadMs - Date.now();
}
