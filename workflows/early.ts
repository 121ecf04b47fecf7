/** Milliseconds. */
const LEAST_MS = 1_000;
const MOST_MS = 30 * 60_000;

/**
 * The least wait for a window that was still shut so often in a row when it was to open: clocks that differ from what was thought of
 * them cost some turns, never one each second. Milliseconds.
 */
export function leastWait(early: number): number {
  return Math.min(LEAST_MS * 2 ** early, MOST_MS);
}
