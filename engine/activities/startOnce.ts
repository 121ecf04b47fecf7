import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { TASK_QUEUE } from './signalPull.ts';

/** Starts a workflow unless one with its id runs (or, by its reuse policy, has run) already. */
export async function startOnce(
  temporal: Pick<Client, 'workflow'>,
  workflow: string,
  options: Pick<WorkflowStartOptions, 'workflowId' | 'workflowIdReusePolicy'> & { readonly args: unknown[] },
): Promise<void> {
  try {
    await temporal.workflow.start(workflow, { ...options, taskQueue: TASK_QUEUE });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
