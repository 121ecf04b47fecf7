/** After so many places of the queue, a waiter asks again after so long. Milliseconds. */
const PAUSES = [
  /** Near its turn it must notice soon that a holder has died. */
  { position: 3, pauseMs: 30_000 },
  { position: 10, pauseMs: 60_000 },
] as const;
/** Nothing of its place is shown, and it has no turn soon: with hundreds that wait, their asking alone would keep Temporal busy. */
const FAR_MS = 600_000;
/** After ten minutes the wait is for a person, such as the one who looks at a held run. */
const ASKED_OFTEN = 20;
const LONG_MS = 300_000;

/**
 * A waiting run is told of a release; it asks by itself as well, should the signal be lost with its sender. Each time costs
 * some 17 events of a history that Temporal ends at 51,200 ("Temporal Cloud limits", the server's own default as well):
 * at five minutes a run can wait for ten days. Milliseconds.
 */
export function askAgainAfter(position: number, asked: number): number {
  const pauseMs = PAUSES.find((each) => position <= each.position)?.pauseMs ?? FAR_MS;
  return asked > ASKED_OFTEN ? Math.max(pauseMs, LONG_MS) : pauseMs;
}
