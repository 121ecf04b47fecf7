import type { Client } from '@temporalio/client';
import { pullWorkflowId } from '../github/workflowIds.ts';
import type { PullEvent, PullRef } from './types.ts';

/** All workflows and activities run on one queue, unless a site has its own workers. */
export const TASK_QUEUE = 'doaas';

/** Tells the workflow of a pull request, and starts it where there is none. `guid`: the delivery that told, for the history. */
export async function signalPull(
  temporal: Pick<Client, 'workflow'>,
  pull: PullRef,
  signal: PullEvent,
  guid?: string,
): Promise<void> {
  const signalArgs: readonly unknown[] = guid === undefined ? [signal] : [signal, guid];
  await temporal.workflow.signalWithStart('pullRequest', {
    workflowId: pullWorkflowId(pull),
    taskQueue: TASK_QUEUE,
    args: [{ pull }],
    signal: 'pullEvent',
    signalArgs: [...signalArgs],
  });
}
