/** GitHub's clock, by which windows open, may be behind: what is still shut at its opening is looked at again so much later. */
const STILL_SHUT_MS = 60_000;

/** When servers are read again for a window that opens then; to the minute where that is over, so that readings at once ask for one. Epoch ms. */
export function nextLook(opensAt: number, now: number): number {
  if (opensAt > now) return opensAt;
  return Math.ceil((now + STILL_SHUT_MS) / 60_000) * 60_000;
}
