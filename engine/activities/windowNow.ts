import { isOpen, opensAt } from '../policy/calendar.ts';
import type { PolicyWindow, WindowShut } from './types.ts';

/** `at`: epoch ms. */
export function windowNow(
  windows: readonly PolicyWindow[],
  at: number,
): { readonly kind: 'open' } | WindowShut {
  if (windows.every((window) => isOpen(window, at))) return { kind: 'open' };
  const opens = opensAt(windows, at);
  return opens === undefined ? { kind: 'shut' } : { kind: 'shut', until: new Date(opens).toISOString() };
}
