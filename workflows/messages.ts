import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { PlanRef, Request, RunEnd } from '../engine/activities/types.ts';
import type { Account } from '../engine/policy/account.ts';

/** Something happened on GitHub. Only a hint: what is true is read from GitHub. */
export type PullEvent =
  /** Opened, pushed to, edited, reopened, closed: look again. */
  | { readonly kind: 'changed'; readonly pushedBy?: Account }
  /** A review, or the gate may have opened by itself. */
  | { readonly kind: 'reviewed' }
  /** Checks of others have ended. */
  | { readonly kind: 'checked' }
  | { readonly kind: 'base-moved' }
  | { readonly kind: 'asked'; readonly request: Request }
  /** A comment begins with /doaas but is no command; the text says what to do. */
  | { readonly kind: 'misspelt'; readonly request: Request; readonly text: string };

export interface DeploymentEnded {
  readonly run: string;
  readonly end: RunEnd;
  readonly reason: string;
}

export const pullEvent = defineSignal<[PullEvent]>('pullEvent');
export const deploymentEnded = defineSignal<[DeploymentEnded]>('deploymentEnded');
export const branchPushed = defineSignal<[string]>('branchPushed');
export const locksReleased = defineSignal('locksReleased');
/** Stop at the next safe point and roll back. */
export const cancelRun = defineSignal<[string]>('cancelRun');
/** Stop at the next safe point, and keep what is done or ask what becomes of it. */
export const stopRun = defineSignal<[{ readonly actor: string; readonly keep: boolean }]>('stopRun');

export interface PullStatus {
  readonly headSha: string;
  readonly plan: PlanRef | undefined;
  readonly deployment: string | undefined;
}

export const pullStatus = defineQuery<PullStatus>('pullStatus');
