import type { RunPhase } from '../engine/activities/types.ts';

/** How a run ends. */
export type FinalPhase = Extract<RunPhase, { kind: 'applied' | 'rolled-back' | 'held' | 'stale' }>;
