import { executeChild, getExternalWorkflowHandle, uuid4 } from '@temporalio/workflow';
import type { PullRef, PullSnapshot, Request } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { cancelRun } from './messages.ts';
import type { Running } from './pullState.ts';
import { type LateRollback, rollback } from './rollback.ts';

export async function cancelDeployment(workflowId: string, reason: string): Promise<void> {
  await getExternalWorkflowHandle(workflowId)
    .signal(cancelRun, reason)
    .catch(() => undefined);
}

/** GitHub would refuse the merge in the end; the run is taken back now, and the newest head planned after it. */
export async function stopOvertaken(
  running: Running | undefined,
  { state, headSha }: PullSnapshot,
): Promise<void> {
  if (running === undefined || state === 'merged') return;
  const { workflowId, plan } = running;
  if (state === 'closed')
    await cancelDeployment(workflowId, 'The pull request was closed while it was applied');
  else if (headSha !== plan.headSha)
    await cancelDeployment(workflowId, 'A newer commit was pushed while this one was applied');
}

/** `/doaas rollback` on a merged pull request. */
export async function rollBackMerged(pull: PullRef, request: Request): Promise<void> {
  const applied = await short.appliedRun(pull);
  if (applied === undefined) {
    return short.answer(
      pull,
      request,
      'Nothing of this pull request was applied, so there is nothing to roll back.',
    );
  }
  const run = `rb${pull.number}-${uuid4().slice(0, 8)}`;
  const result = await executeChild(rollback, {
    workflowId: `rollback:${run}`,
    args: [applied, { ...applied, run, actor: request.actor }],
  });
  await short.answer(pull, request, sentence(applied.run, result));
}

function sentence(run: string, result: LateRollback): string {
  const revert = `Pull request #${result.revert} reverts it in the repository; merge it so that the branch equals the hosts again.`;
  const remarks = result.remarks.length === 0 ? '' : ` Good to know: ${result.remarks.join('; ')}.`;
  switch (result.kind) {
    case 'rolled-back':
      return `The hosts are as they were before ${run}. ${revert}${remarks}`;
    case 'refused':
      return `Not rolled back: ${result.reasons.join('; ')}. Nothing was changed on the hosts. #${result.revert} was opened as the revert; close it, or merge it to plan the way back from the present state.`;
    case 'held':
      return `Rolled back in part; what remains needs a person: ${result.reasons.join('; ')}. ${revert}${remarks}`;
  }
}
