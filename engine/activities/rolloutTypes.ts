/** The part of the contract of types.ts that is about batches. */

/** What the approved plan says of the order of its hosts; see docs/rollouts.md. */
export interface RolloutRef {
  readonly stages: readonly RolloutStage[];
  readonly probes: 'done' | 'batch';
  /** Hosts that may fail over the whole fleet. */
  readonly failureBudget: number;
  readonly onExceeded: 'rollback' | 'hold';
  readonly unreachable: 'fail' | 'skip' | 'wait';
  /** Hosts that may be unavailable at the same time, for whatever reason. Left out: no batch looks at the others. */
  readonly maxUnavailable?: number;
}

export interface RolloutStage {
  readonly wave: number;
  readonly hosts: readonly string[];
  readonly canary: boolean;
  /** Must be proven before the next stage begins. */
  readonly verify: boolean;
  readonly pauseSeconds: number;
}

/** How far a rollout is, as the check shows it beside the plan's stages. */
export interface RolloutProgress {
  /** Index of the stage in work; the number of stages once all are done. */
  readonly at: number;
  readonly doing: 'changing' | 'proving' | 'pausing' | 'waiting';
  /** ISO time at which the pause ends. */
  readonly until?: string;
  readonly failed: readonly HostFailure[];
  /** Out of reach when their turn came. */
  readonly skipped: readonly string[];
  /** Out of reach now; waited for. */
  readonly awaited?: readonly string[];
  /** They are waited for because no more hosts than this may be unavailable. */
  readonly most?: number;
}

export interface HostFailure {
  readonly host: string;
  readonly reason: string;
}

/** Which hosts are verified, each up to the wave whose steps were done there. */
export interface VerifyScope {
  readonly hosts: readonly { readonly host: string; readonly wave: number }[];
}
