import { type Client, QueryNotRegisteredError, WorkflowNotFoundError } from '@temporalio/client';
import type { StopHeard } from './types.ts';

/** Tells a run to stop, and asks whether that came in time. What has ended hears nothing. */
export async function stopRun(
  { temporal }: { readonly temporal: Pick<Client, 'workflow'> },
  workflowId: string,
  stop: { readonly actor: string; readonly keep: boolean },
): Promise<StopHeard> {
  const handle = temporal.workflow.getHandle(workflowId);
  try {
    await handle.signal('stopRun', stop);
    return await handle.query<StopHeard>('stopHeard');
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'over';
    // a worker of an older engine has it, who knows of no other answer
    if (error instanceof QueryNotRegisteredError) return 'in-time';
    throw error;
  }
}
