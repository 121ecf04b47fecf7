import { getExternalWorkflowHandle, patched } from '@temporalio/workflow';
import type { Request } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { stopRun } from './messages.ts';
import type { Desk } from './pullGate.ts';
import type { TakingBack } from './pullRollback.ts';

export const ONLY_KEEP = '`/doaas cancel` takes nothing or the word `keep`. Nothing was done.';

const ONLY_BEGINS = 'Taking the merged change back is only just beginning: say this again in a moment.';
const ENDS_IF_WAITING =
  'Taking the merged change back ends if it still waits for its servers, and nothing is changed on them then; if it has them already, it goes on to its end. The answer to `/doaas rollback` says which.';

/** Whether what is done is to stay; undefined where the word behind the command is another one. */
export function isKeep(argument: string | undefined): boolean | undefined {
  if (argument === undefined) return false;
  return argument.toLowerCase() === 'keep' ? true : undefined;
}

/**
 * `/doaas cancel [keep]`: the running deployment stops at the next safe point; its check shows what is done and asks. What
 * takes the merged change back ends if it has touched no host yet.
 */
export async function cancel(
  { pull, state, change }: Desk,
  request: Request,
  takingBack: TakingBack | undefined,
): Promise<void> {
  const { actor, argument } = request;
  const { running } = state();
  const keep = isKeep(argument);
  if (keep === undefined) return short.answer(pull, request, ONLY_KEEP);
  if (running === undefined && takingBack !== undefined && patched('cancel-rollback')) {
    if (takingBack.workflowId === undefined) return short.answer(pull, request, ONLY_BEGINS);
    await stop(takingBack.workflowId, { actor, keep });
    return short.answer(pull, request, ENDS_IF_WAITING);
  }
  if (running === undefined)
    return short.answer(
      pull,
      request,
      'No run of this pull request is under way, so there is nothing to cancel.',
    );
  change({ running: { ...running, stopped: true } });
  await stop(running.workflowId, { actor, keep });
  const then = keep
    ? 'What is done stays; the check `doaas/apply` says what that is.'
    : 'The check `doaas/apply` then shows what is done. Say `/doaas rollback` to put it back, or `/doaas cancel keep` to leave it; without an answer it is put back.';
  await short.answer(pull, request, `Stopping the run ${running.run} at the next safe point. ${then}`);
}

/** What has ended meanwhile hears nothing. */
async function stop(
  workflowId: string,
  what: { readonly actor: string; readonly keep: boolean },
): Promise<void> {
  await getExternalWorkflowHandle(workflowId)
    .signal(stopRun, what)
    .catch(() => undefined);
}
