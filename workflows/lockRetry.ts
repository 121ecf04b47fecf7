/** Milliseconds. A waiter near its turn shows its place, and must notice soon that a holder has died. */
const NEAR_MS = 30_000;
const FAR_MS = 120_000;
const LONG_MS = 300_000;

/** Places from which on nothing of a waiter's place is shown. */
const FAR = 10;
/** After ten minutes the wait is for a person, such as the one who looks at a held run. */
const ASKED_OFTEN = 20;

/**
 * A waiting run is told of a release; it asks by itself as well, should the signal be lost with its sender. Each time costs
 * some 17 events of a history that Temporal ends at 51,200 ("Temporal Cloud limits", the server's own default as well):
 * at five minutes a run can wait for ten days. Milliseconds.
 */
export function askAgainAfter(position: number, asked: number): number {
  if (asked > ASKED_OFTEN) return LONG_MS;
  return position > FAR ? FAR_MS : NEAR_MS;
}
