import { getExternalWorkflowHandle } from '@temporalio/workflow';
import type { Request } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { stopRun } from './messages.ts';
import type { Desk } from './pullGate.ts';

export const ONLY_KEEP = '`/doaas cancel` takes nothing or the word `keep`. Nothing was done.';

/** Whether what is done is to stay; undefined where the word behind the command is another one. */
export function isKeep(argument: string | undefined): boolean | undefined {
  if (argument === undefined) return false;
  return argument.toLowerCase() === 'keep' ? true : undefined;
}

/** `/doaas cancel [keep]`: the running deployment stops at the next safe point; its check shows what is done and asks. */
export async function cancel({ pull, state, change }: Desk, request: Request): Promise<void> {
  const { actor, argument } = request;
  const { running } = state();
  const keep = isKeep(argument);
  if (keep === undefined) return short.answer(pull, request, ONLY_KEEP);
  if (running === undefined)
    return short.answer(
      pull,
      request,
      'No run of this pull request is under way, so there is nothing to cancel.',
    );
  change({ running: { ...running, stopped: true } });
  await getExternalWorkflowHandle(running.workflowId)
    .signal(stopRun, { actor, keep })
    .catch(() => undefined);
  const then = keep
    ? 'What is done stays; the check `doaas/apply` says what that is.'
    : 'The check `doaas/apply` then shows what is done. Say `/doaas rollback` to put it back, or `/doaas cancel keep` to leave it; without an answer it is put back.';
  await short.answer(pull, request, `Stopping the run ${running.run} at the next safe point. ${then}`);
}
