/** After so many times of asking, the pause to the next is so long. Milliseconds. */
const PAUSES = [
  { asked: 3, pauseMs: 30_000 },
  { asked: 10, pauseMs: 300_000 },
] as const;
const LONGEST_MS = 3_600_000;

/**
 * A question that waits for a person without limit is shown again and again, so that it is noticed where nobody can see it any more: archived,
 * suspended, no longer the App's. Each time costs some 9 events of a history that Temporal ends at 51,200: at an hour a run can
 * wait for half a year.
 */
export function askOnAfter(asked: number): number {
  return PAUSES.find((each) => asked <= each.asked)?.pauseMs ?? LONGEST_MS;
}
