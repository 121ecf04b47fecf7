import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** Whether a workflow still runs. Throws when Temporal does not answer, so that silence is never taken for death. */
export async function isAlive(temporal: Pick<Client, 'workflow'>, workflowId: string): Promise<boolean> {
  try {
    const description = await temporal.workflow.getHandle(workflowId).describe();
    return description.status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Whether this execution of a workflow still runs: another one with its id may have begun since. */
export async function isCurrent(
  temporal: Pick<Client, 'workflow'>,
  { workflowId, runId }: { readonly workflowId: string; readonly runId: string },
): Promise<boolean> {
  const description = await temporal.workflow.getHandle(workflowId).describe();
  return description.status.name === 'RUNNING' && description.runId === runId;
}
