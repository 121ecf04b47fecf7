import { workflowInfo } from '@temporalio/workflow';

/** Bound of a history before a fresh one is begun. Events. */
const HISTORY_MAX = 4096;

/** Whether it is time to continue as new. */
export function shouldContinue(): boolean {
  return workflowInfo().historyLength > HISTORY_MAX || workflowInfo().continueAsNewSuggested;
}
