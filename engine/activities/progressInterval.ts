/** Nobody reads faster; and GitHub allows 80 writes a minute, of which an update takes two. */
const SHORTEST_MS = 3_000;
const LONGEST_MS = 60_000;
/** Of the time that has passed: a reader who has waited ten minutes can wait half a minute more. */
const SHARE = 0.05;

/**
 * Until the next update of a running check, ms, however many servers it has. It grows with the run, so that one of an hour takes some
 * 120 updates, of two writes and at most seven requests each, out of GitHub's 500 writes and 5,000 requests an hour. Runs that are shown
 * at the same time share that: `runs` of them.
 */
export function progressInterval(elapsedMs: number, runs = 1): number {
  return Math.max(1, runs) * Math.min(LONGEST_MS, Math.max(SHORTEST_MS, elapsedMs * SHARE));
}
