import { isCancellation, log, workflowInfo } from '@temporalio/workflow';
import type { PullSnapshot } from '../engine/activities/types.ts';
import { causeOf } from './deployment.ts';

export function isOver(snapshot: PullSnapshot | undefined): boolean {
  return snapshot !== undefined && snapshot.state !== 'open';
}

/** What cannot be done for good (a deleted repository, a refused call) ends that event, never the workflow. */
export async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('an event could not be handled', { reason: causeOf(error) });
  }
}

/** Bound of a history before a fresh one is begun. Events. */
const HISTORY_MAX = 4096;

export function shouldContinue(): boolean {
  return workflowInfo().historyLength > HISTORY_MAX || workflowInfo().continueAsNewSuggested;
}

export function noted(error: unknown): void {
  if (!isCancellation(error)) log.warn('planning failed', { reason: causeOf(error) });
}
