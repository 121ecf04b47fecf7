import type { DriftSettings } from './resolution.ts';
import type { DriftSource } from './types.generated.ts';

/** Fills in what is left out. The schema has checked the shape. */
export function resolveDrift({ action = 'report', ignore = [] }: DriftSource): DriftSettings {
  return { action, ignore };
}
