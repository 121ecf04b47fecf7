import { isCancellation, log } from '@temporalio/workflow';
import { causeOf } from './cause.ts';

/** What cannot be done for good (a deleted repository, a refused call) ends that event, never the workflow. */
export async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('an event could not be handled', { reason: causeOf(error) });
  }
}

export function noted(error: unknown): void {
  if (!isCancellation(error)) log.warn('work beside the events failed', { reason: causeOf(error) });
}
