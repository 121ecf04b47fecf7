import {
  executeChild,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  patched,
  uuid4,
} from '@temporalio/workflow';
import type { PullRef, PullSnapshot, Request } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { cancelRun } from './messages.ts';
import { eventOf, type Running } from './pullState.ts';
import { rollback } from './rollback.ts';

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

/** Edited in place by what came of it. */
const BEGINS =
  'Taking the merged change back: the revert pull request first, then the hosts. Where another run holds one of them, or one of its group, this waits, and says here for whom.';

/** The rollback of a merged change that is under way. */
export interface TakingBack {
  /** Unset before the workflow is begun. */
  workflowId?: string;
}

/** `/doaas rollback` on a merged pull request. */
export async function rollBackMerged(pull: PullRef, request: Request, under: TakingBack): Promise<void> {
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
  const workflowId = `rollback:${run}`;
  under.workflowId = workflowId;
  const result = await executeChild(rollback, {
    workflowId,
    // half of a change would stay on the hosts, should this workflow be ended from outside
    parentClosePolicy: ParentClosePolicy.ABANDON,
    args: [
      applied,
      { ...applied, run, undoes: applied.run, actor: request.actor, event: eventOf(request) },
      request,
    ],
  });
  await short.answer(pull, request, { kind: 'late-rollback', run: applied.run, result });
}
