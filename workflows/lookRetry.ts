/** Then a host that is waited for has failed. Milliseconds. */
export const WAIT_MAX_MS = 24 * 3600 * 1000;

/** After so many looks at one wait the pause to the next is so long. Milliseconds. */
const PAUSES = [
  { looks: 1, pauseMs: 5_000 },
  { looks: 2, pauseMs: 10_000 },
  { looks: 30, pauseMs: 15_000 },
  { looks: 90, pauseMs: 60_000 },
] as const;
const LONGEST_MS = 300_000;

/**
 * Between two looks for a host that is waited for: short as long as it may be rebooting, long once it waits for a person. Each
 * look costs some 20 events of a history that Temporal ends at 51,200; so a whole day costs a seventh of that.
 */
export function lookAgainAfter(looks: number): number {
  return PAUSES.find((each) => looks <= each.looks)?.pauseMs ?? LONGEST_MS;
}
