import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreError } from './error.ts';
import type { Lease } from './leases.ts';
import type { Store } from './store.ts';

/** Milliseconds. */
export interface Pace {
  /** A holder that was not heard of for so long has died, or stands still. */
  readonly silentMaxMs: number;
  readonly renewEveryMs: number;
  readonly lookEveryMs: number;
}

const PACE: Pace = { silentMaxMs: 30_000, renewEveryMs: 5_000, lookEveryMs: 1_000 };

/** Rejects with `store-conflict` once another process does work of this name. */
export type Held = () => Promise<void>;

/**
 * Work of one name is done one after the other, over all processes on one store. Whoever waits counts the silence of the one
 * before by its own clock that only goes forward, so clocks are neither compared nor set. Work asks `held` before each effect,
 * for a process may have stood still; only what is on its way at that moment cannot be called back. `signal` ends the waiting.
 */
export async function alone<T>(
  leases: Store['leases'],
  name: string,
  signal: AbortSignal,
  work: (held: Held) => Promise<T>,
  pace: Pace = PACE,
): Promise<T> {
  const holder = randomUUID();
  await taken(leases, name, holder, signal, pace);
  const renewing = setInterval(() => {
    // one that fails is not heard of; the next may be
    leases.renew(name, holder).catch(() => undefined);
  }, pace.renewEveryMs);
  try {
    return await work(async () => {
      if (!(await leases.renew(name, holder))) throw takenOver(name);
    });
  } finally {
    clearInterval(renewing);
    // where that fails, the next one waits until the silence is long enough
    await leases.release(name, holder).catch(() => undefined);
  }
}

async function taken(
  leases: Store['leases'],
  name: string,
  holder: string,
  signal: AbortSignal,
  { silentMaxMs, lookEveryMs }: Pace,
): Promise<void> {
  let seen: Lease | undefined;
  for (let since = performance.now(); ; await pause(lookEveryMs, undefined, { signal })) {
    const isSilent = performance.now() - since > silentMaxMs;
    const now = await leases.take(name, holder, isSilent ? seen : undefined);
    if (now?.holder === holder) return;
    if (now?.holder === seen?.holder && now?.beat === seen?.beat) continue;
    seen = now;
    since = performance.now();
  }
}

function takenOver(name: string): StoreError {
  return new StoreError(
    'store-conflict',
    `Another process has taken over ${name}, as this one was not heard of. It is done there; what was begun here ends.`,
  );
}
