/** The part of the contract of types.ts that is about batches, and what is asked between them. */
import type { PolicyWindow } from '../spec/types.generated.ts';
import type { Ahead } from './ahead.ts';
import type { SitePart } from './siteTypes.ts';
import type { ConfirmOutcome, RunRef } from './types.ts';

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
  /**
   * Hosts that are never put back together; the stages keep them apart when they are changed. With their mates that the plan does not
   * change. Left out: none.
   */
  readonly apart?: readonly (readonly string[])[];
  /** By changed host, the names of its units; no other run changes a member of one meanwhile. Left out: none, or an older engine's. */
  readonly units?: Readonly<Record<string, readonly string[]>>;
  /** Such mates that only workers of their site reach. Left out: none. */
  readonly matesElsewhere?: readonly { readonly name: string; readonly site: string }[];
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
  /** `shut`: the change window is. */
  readonly doing: 'changing' | 'proving' | 'pausing' | 'waiting' | 'shut';
  /** ISO time at which the pause ends or the window opens. */
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

/** `until`: ISO time, by GitHub's clock, at which all windows are open; left out where that is further away than anybody looks. */
export interface WindowShut extends Ahead {
  readonly kind: 'shut';
  readonly until?: string;
  /** The windows are open, but nobody serves the site of these hosts: `until` is when to look again. */
  readonly unserved?: { readonly hosts: readonly string[]; readonly reason: string };
}

/** Where a run was when it was told to stop: no more than `in-time` can be stopped. */
export type StopHeard = 'in-time' | 'merging' | 'rolling-back' | 'over';

export interface RolloutActivities {
  /** Tells a run to stop, and asks whether that came in time. */
  stopRun(workflowId: string, stop: { readonly actor: string; readonly keep: boolean }): Promise<StopHeard>;
  /** Are all of these windows open now? Asks nobody. */
  windowNow(windows: readonly PolicyWindow[]): Promise<{ readonly kind: 'open' } | WindowShut>;
  /** In the middle of a run: may it go on, and is what is left of it still the same? */
  confirmRest(
    run: RunRef,
    leftOut: readonly string[],
    parts?: readonly SitePart[],
  ): Promise<ConfirmOutcome | WindowShut>;
  /** Which of these hosts do not answer now, or are mates that a dead run has left as they may be. */
  silentHosts(run: RunRef, hosts: readonly string[]): Promise<readonly string[]>;
  /** ISO time until which a person may say what becomes of a cancelled run. */
  decisionDeadline(run: RunRef): Promise<string>;
}
