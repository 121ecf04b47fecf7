import { getExternalWorkflowHandle, patched } from '@temporalio/workflow';
import type { IssueRequest, PullRef, Request, StopHeard } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { stopRun } from './messages.ts';
import { type Desk, dropPending, keepToCommand, waitsToOpen } from './pullGate.ts';
import type { TakingBack } from './pullRollback.ts';
import { mayYetBegin } from './pullState.ts';

export const ONLY_KEEP =
  '`/doaas cancel` takes nothing or the word `keep`; on a pull request also the name of a correction that has no issue (`dc0-...`). Nothing was done.';

/** As `doaas status` lists a correction in a repository that takes no issues. */
const WITHOUT_ISSUE = /^dc0-[0-9a-f]{8}$/i;

const ONLY_BEGINS = 'Taking the merged change back is only just beginning: say this again in a moment.';
const ONLY_ASKED =
  'No run of this pull request is under way, and this plan does not begin by itself any more, whatever is given or becomes green: only `/doaas apply` begins it.';
const ENDS_IF_WAITING =
  'Taking the merged change back ends if it still waits for its servers, and nothing is changed on them then; if it has them already, it goes on to its end. The answer to `/doaas rollback` says which.';

/** Whether what is done is to stay; undefined where the word behind the command is another one. */
export function isKeep(argument: string | undefined): boolean | undefined {
  if (argument === undefined) return false;
  return argument.toLowerCase() === 'keep' ? true : undefined;
}

/** Whether it is no run of this pull request that is to stop. */
function namesCorrection({ argument = '' }: Request): boolean {
  return WITHOUT_ISSUE.test(argument) && patched('cancel-by-name');
}

/**
 * `/doaas cancel [keep]`: the running deployment stops at the next safe point; its check shows what is done and asks. One that merges
 * or is rolled back goes on to its end. What
 * takes the merged change back ends if it has touched no host yet. Of what would begin by itself, only a command does.
 */
export async function cancel(
  desk: Desk,
  request: Request,
  takingBack: TakingBack | undefined,
): Promise<void> {
  const { pull, state, change } = desk;
  const { actor, argument } = request;
  if (namesCorrection(request))
    return short.answer(pull, request, await cancelNamed(pull, { ...request, command: 'cancel' }));
  if (await waitsToOpen(desk)) return dropPending(desk, request);
  const { running } = state();
  const keep = isKeep(argument);
  if (keep === undefined) return short.answer(pull, request, ONLY_KEEP);
  if (running === undefined && takingBack !== undefined && patched('cancel-rollback')) {
    if (takingBack.workflowId === undefined) return short.answer(pull, request, ONLY_BEGINS);
    await stop(takingBack.workflowId, { actor, keep });
    return short.answer(pull, request, ENDS_IF_WAITING);
  }
  if (mayYetBegin(state()) && patched('cancel-unready')) {
    await keepToCommand(desk);
    return short.answer(pull, request, ONLY_ASKED);
  }
  if (running === undefined)
    return short.answer(
      pull,
      request,
      'No run of this pull request is under way, so there is nothing to cancel.',
    );
  change({ running: { ...running, stopped: true } });
  const heard = await stopDeployment(running.workflowId, { actor, keep });
  await short.answer(pull, request, said(running.run, heard, keep));
}

async function stopDeployment(
  workflowId: string,
  what: { readonly actor: string; readonly keep: boolean },
): Promise<StopHeard> {
  if (patched('cancel-in-time')) return short.stopRun(workflowId, what);
  await stop(workflowId, what);
  return 'in-time';
}

function said(run: string, heard: StopHeard, keep: boolean): string {
  switch (heard) {
    case 'in-time':
      return `Stopping the run ${run} at the next safe point. ${keep ? KEEPS : ASKS}`;
    case 'merging':
      return `Too late: the run ${run} has changed its servers, found them good, and is merging. \`/doaas rollback\` takes the change back, also once it is merged.`;
    case 'rolling-back':
      return `Too late: the run ${run} is being rolled back${keep ? ', so nothing of what it did stays' : ' already'}. The check \`doaas/apply\` says how that ends.`;
    case 'over':
      return `Too late: the run ${run} has just ended; the check \`doaas/apply\` says how. If it was applied, \`/doaas rollback\` takes it back.`;
  }
}

const KEEPS =
  'What is done stays, unless something fails before that; the check `doaas/apply` says what that is.';
const ASKS =
  'The check `doaas/apply` then shows what is done. Say `/doaas rollback` to put it back, or `/doaas cancel keep` to leave it; without an answer it is put back.';

/** Of any document of the repository: where there is no issue, a pull request is the only place to say so. */
function cancelNamed({ repository }: PullRef, request: IssueRequest): Promise<string> {
  return short.cancelCorrection({ repository, number: 0 }, request, false);
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
