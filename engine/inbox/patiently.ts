import { setTimeout as pause } from 'node:timers/promises';

export interface Patience {
  /** Then the last failure is thrown. Milliseconds. */
  readonly forMs: number;
  readonly everyMs: number;
}

/** Tries again what fails for a moment only, as `passes` says of its error. */
export async function patiently<T>(
  { forMs, everyMs }: Patience,
  passes: (error: unknown) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  const until = performance.now() + forMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!passes(error) || performance.now() + everyMs > until) throw error;
    }
    await pause(everyMs);
  }
}
