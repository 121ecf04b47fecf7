import type { ConfirmOutcome } from '../engine/activities/types.ts';

/**
 * Pure. What all parts of a correction say together, at least one: something stands against it where any part says so, or where none has
 * anything left to do.
 */
export function allConfirmed(parts: readonly ConfirmOutcome[]): ConfirmOutcome {
  const changed = parts.flatMap((part) => (part.kind === 'changed' ? [part] : []));
  const against = changed.find(({ idle }) => idle !== true);
  if (against !== undefined) return against;
  const [idle] = changed;
  if (idle !== undefined && changed.length === parts.length) return idle;
  const windows = parts.flatMap((part) => (part.kind === 'unchanged' ? (part.windows ?? []) : []));
  return windows.length === 0 ? { kind: 'unchanged' } : { kind: 'unchanged', windows };
}
