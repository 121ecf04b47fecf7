import { setTimeout as pause } from 'node:timers/promises';

/** Between two looks, ms: soon at first, seldom where it takes long, since looking itself takes a twelfth of the processors. */
const POLL_MS = { first: 50, last: 250, growth: 1.2 };

/**
 * Deadlines bound a wait, they assert no speed, so they cost time only where a test fails. CI shares its two processors
 * between two files of lab hosts and whatever else that machine does; the longest case was seen to take 55 s there, of
 * which it waits 25 s on purpose, so twice what is enough alone is enough.
 */
const PATIENCE = process.env.CI === 'true' ? 2 : 1;

/** For the limits of cases, in ms: a wait that is in vain ends before them, and says what was waited for. */
export const MINUTES = 60_000 * PATIENCE;

/** Polls until `probe` gives something; throws with what was waited for and how things are instead. */
export async function until<T>(
  probe: () => Promise<T | undefined>,
  what: string,
  seconds = 30,
  describe: () => Promise<string> = async () => '',
): Promise<T> {
  const deadline = Date.now() + seconds * 1000 * PATIENCE;
  for (let wait = POLL_MS.first; ; wait = Math.min(wait * POLL_MS.growth, POLL_MS.last)) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline)
      throw new Error(`waited ${seconds * PATIENCE} s for ${what}; now: ${await describe()}`);
    await pause(wait);
  }
}
