import { executeChild, getExternalWorkflowHandle, patched, uuid4 } from '@temporalio/workflow';
import type { PullRef, Request } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { cancelRun } from './messages.ts';
import { rollback } from './rollback.ts';

export async function cancelDeployment(workflowId: string, reason: string): Promise<void> {
  await getExternalWorkflowHandle(workflowId)
    .signal(cancelRun, reason)
    .catch(() => undefined);
}

/** Edited in place by what came of it. */
const BEGINS =
  'Taking the merged change back: the revert pull request first, then the hosts. Where another run holds one of them, this waits; `/doaas status` says so.';

/** `/doaas rollback` on a merged pull request. */
export async function rollBackMerged(pull: PullRef, request: Request): Promise<void> {
  const applied = await short.appliedRun(pull);
  if (applied === undefined) {
    return short.answer(
      pull,
      request,
      'Nothing of this pull request is applied on the hosts, so there is nothing to roll back.',
    );
  }
  if (patched('say-rollback-begins')) await short.answer(pull, request, BEGINS);
  const run = `rb${pull.number}-${uuid4().slice(0, 8)}`;
  const result = await executeChild(rollback, {
    workflowId: `rollback:${run}`,
    args: [applied, { ...applied, run, actor: request.actor }],
  });
  await short.answer(pull, request, { kind: 'late-rollback', run: applied.run, result });
}
