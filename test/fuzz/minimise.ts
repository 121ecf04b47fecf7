/** Checks of smaller inputs; a minimum that is not quite one is good enough to read. */
const TRIES_MAX = 2_000;
const SECONDS_MAX = 20;

/**
 * A smaller input that fails as well: pieces are left out, halves first, as long as that works (Zeller and Hildebrandt, "Simplifying
 * and Isolating Failure-Inducing Input", 2002).
 */
export async function minimise(input: Buffer, fails: (input: Buffer) => Promise<boolean>): Promise<Buffer> {
  const end = performance.now() + SECONDS_MAX * 1000;
  let best = input;
  let tries = 0;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length; ) {
      if (++tries > TRIES_MAX || performance.now() > end) return best;
      const smaller = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (await fails(smaller)) best = smaller;
      else at += size;
    }
  }
  return best;
}
