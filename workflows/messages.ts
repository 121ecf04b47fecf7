import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { PlanRef, PullEvent, RunEnd, StopHeard } from '../engine/activities/types.ts';

export type { PullEvent } from '../engine/activities/types.ts';

export interface DeploymentEnded {
  readonly run: string;
  readonly end: RunEnd;
  readonly reason: string;
  /** It is not begun again by itself, though the plan may still hold. */
  readonly final?: true;
}

export const pullEvent = defineSignal<[PullEvent]>('pullEvent');
export const deploymentEnded = defineSignal<[DeploymentEnded]>('deploymentEnded');
export const branchPushed = defineSignal<[string]>('branchPushed');
export const locksReleased = defineSignal('locksReleased');
/** Stop at the next safe point and roll back. */
export const cancelRun = defineSignal<[string]>('cancelRun');
/** Stop at the next safe point, and keep what is done or ask what becomes of it. */
export const stopRun = defineSignal<[{ readonly actor: string; readonly keep: boolean }]>('stopRun');

/** Where the run was when it heard `stopRun` last. */
export const stopHeard = defineQuery<StopHeard>('stopHeard');

export interface PullStatus {
  readonly headSha: string;
  readonly plan: PlanRef | undefined;
  readonly deployment: string | undefined;
}

export const pullStatus = defineQuery<PullStatus>('pullStatus');
