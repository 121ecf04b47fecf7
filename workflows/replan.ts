import type { PlanOutcome } from '../engine/activities/types.ts';
import type { PullState } from './pullState.ts';

/** A plan failed only because servers did not answer; it is made again by itself. */
export interface Replan {
  readonly headSha: string;
  /** How often it has failed so. */
  readonly failed: number;
  /** Of the first time; epoch ms, as `at`. */
  readonly since: number;
  /** Of the next try. */
  readonly at: number;
}

/** After that a person asks for it. Milliseconds. */
const TRIED_MAX_MS = 24 * 3600 * 1000;

/** After so many failures the pause is so long. Milliseconds. */
const PAUSES = [
  { failed: 4, pauseMs: 15_000 },
  { failed: 9, pauseMs: 60_000 },
  { failed: 20, pauseMs: 300_000 },
] as const;
/** Each try takes some three of the writes that GitHub allows. */
const LONGEST_MS = 1_800_000;

/** Short as long as a server may be rebooting, long once it waits for a person. Milliseconds. */
export function replanPause(failed: number): number {
  return PAUSES.find((each) => failed <= each.failed)?.pauseMs ?? LONGEST_MS;
}

/** Undefined: nothing failed that time alone could mend, or it was tried for a day. */
export function replanAfter(
  before: Replan | undefined,
  outcome: PlanOutcome,
  headSha: string,
  now: number,
): Replan | undefined {
  if (outcome.kind !== 'failed' || outcome.away !== true) return undefined;
  const again = before?.headSha === headSha ? before : undefined;
  const failed = (again?.failed ?? 0) + 1;
  const since = again?.since ?? now;
  const at = now + replanPause(failed);
  return at - since > TRIED_MAX_MS ? undefined : { headSha, failed, since, at };
}

/** Epoch ms; undefined where nothing is to be tried again, or not now. */
export function replansAt({ replan, snapshot, running }: PullState): number | undefined {
  if (running !== undefined || snapshot?.state !== 'open' || snapshot.headSha !== replan?.headSha)
    return undefined;
  return replan.at;
}
