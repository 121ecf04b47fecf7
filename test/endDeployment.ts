import type { Client } from '@temporalio/client';

/** Ends the workflow of the pull request's run from outside, as an operator may. Throws where none runs. */
export async function endDeploymentOf({ workflow }: Client, pull: number): Promise<void> {
  const query = 'WorkflowType = "deployment" and ExecutionStatus = "Running"';
  for await (const { workflowId } of workflow.list({ query })) {
    if (!workflowId.startsWith(`deployment:pr${pull}-`)) continue;
    await workflow.getHandle(workflowId).terminate('ended by a test');
    return;
  }
  throw new Error(`no deployment of #${pull} runs`);
}
