import type { Client } from '@temporalio/client';
import { pullWorkflowId } from '../github/workflowIds.ts';
import type { Account } from '../policy/account.ts';
import type { PullRef, Request } from './types.ts';

/** All workflows and activities run on one queue, unless a site has its own workers. */
export const TASK_QUEUE = 'doaas';

/** The same shape as `PullEvent` of workflows/messages.ts, which only workflow code may import. */
export type PullSignal =
  | { readonly kind: 'changed'; readonly pushedBy?: Account }
  | { readonly kind: 'reviewed' }
  | { readonly kind: 'checked' }
  | { readonly kind: 'base-moved' }
  | { readonly kind: 'asked'; readonly request: Request }
  | { readonly kind: 'misspelt'; readonly request: Request; readonly text: string };

/** Tells the workflow of a pull request, and starts it where there is none. `guid`: the delivery that told, for the history. */
export async function signalPull(
  temporal: Pick<Client, 'workflow'>,
  pull: PullRef,
  signal: PullSignal,
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
