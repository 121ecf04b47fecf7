import type { Reading } from '../facts/fact.ts';
import { hashRaw } from '../facts/script.ts';

/** Of a hash (hex), so that only the engine can tell what was hashed. */
export type Conceal = (hash: string) => string;

/**
 * What an item must still be when its step begins. The hash of a file that is not for everybody is concealed: together
 * with a template it would let anybody try passwords until one fits.
 */
export function beforeOf(reading: Reading | undefined, conceal: Conceal | undefined): string {
  const hash = hashRaw(reading?.raw ?? '');
  return conceal !== undefined && isPrivate(reading) ? conceal(hash) : hash;
}

/** A file that not everybody on the host may read, by its own mode. */
function isPrivate(reading: Reading | undefined): boolean {
  const state = reading?.state;
  if (state === null || typeof state !== 'object' || !('type' in state) || state.type !== 'file')
    return false;
  return !('mode' in state && typeof state.mode === 'string' && /[4567]$/.test(state.mode));
}
