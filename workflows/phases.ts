import type { RunPhase } from '../engine/activities/types.ts';

/** How a run ends that has changed nothing. */
export type Stale = Extract<RunPhase, { kind: 'stale' }>;

/** How a run ends. */
export type FinalPhase = Extract<RunPhase, { kind: 'applied' | 'rolled-back' | 'held' | 'stale' }>;
