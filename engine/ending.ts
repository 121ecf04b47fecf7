import type { Logger } from './log.ts';

/** Ends one part of the process. */
export type End = () => Promise<void>;

/** What a part that takes long leaves for each one that comes after it. Milliseconds. */
const LEFT_MS = 750;

/**
 * Ends all parts, the one that was started last first, and empties the list. `withinMs`: a part that would need more than its share of that goes on by
 * itself while the next one is ended, so that the last, the store, has its turn whatever hangs.
 */
export async function endAll(ends: End[], log: Logger, withinMs = Number.POSITIVE_INFINITY): Promise<void> {
  const endsAt = performance.now() + withinMs;
  const lastFirst = ends.splice(0).reverse();
  for (const [place, end] of lastFirst.entries()) {
    const after = lastFirst.length - 1 - place;
    const most = Math.max(LEFT_MS, endsAt - performance.now() - after * LEFT_MS);
    await within(most, end).catch((error: unknown) =>
      log.warn({ err: error }, 'a part did not stop cleanly'),
    );
  }
}

async function within(ms: number, end: End): Promise<void> {
  if (ms === Number.POSITIVE_INFINITY) return end();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${Math.round(ms)} ms`)), ms);
  });
  return Promise.race([end(), late]).finally(() => clearTimeout(timer));
}
