import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 50;

/** Deadlines bound a wait, they assert no speed: CI may run on a machine that is busy with something else. */
const PATIENCE = process.env.CI === 'true' ? 3 : 1;

/** Polls until `probe` gives something; throws with what was waited for and how things are instead. */
export async function until<T>(
  probe: () => Promise<T | undefined>,
  what: string,
  seconds = 30,
  describe: () => Promise<string> = async () => '',
): Promise<T> {
  const deadline = Date.now() + seconds * 1000 * PATIENCE;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}; now: ${await describe()}`);
    await pause(POLL_MS);
  }
}
