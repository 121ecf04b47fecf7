import { WorkflowNotFoundError } from '@temporalio/client';
import { isAlive } from './alive.ts';
import type { Engine } from './engine.ts';
import { fullName } from './pull.ts';
import type { IssueRequest, PullRef } from './types.ts';

type Reached = Pick<Engine, 'store' | 'temporal'>;

/** Verb in the audit log: somebody stopped a correction of this issue. */
const CANCEL = 'cancel';

const NOTHING =
  'Nothing is being corrected for this issue, so there is nothing to cancel. `drift: { action: report }` in the document, on the default branch, keeps it from being corrected; `/doaas status` says which corrections of this issue ran.';

/** Tells the correction of an issue to stop. Returns the answer, Markdown of ours. Safe to repeat. */
export async function cancelCorrection(
  { store, temporal }: Reached,
  issue: PullRef,
  { actor, commentId }: Pick<IssueRequest, 'actor' | 'commentId'>,
  keep: boolean,
): Promise<string> {
  const going = await inProgress({ store, temporal }, issue);
  if (going === undefined) return NOTHING;
  const { run, workflowId } = going;
  // before it hears of it: else one that a crash left unsaid would be begun again by the next reading
  await store.audit.append({
    who: actor,
    what: CANCEL,
    repository: fullName(issue),
    pull: issue.number,
    detail: { run, keep, comment: commentId ?? 0 },
    key: `${run} ${CANCEL} ${commentId ?? ''}`,
  });
  try {
    await temporal.workflow.getHandle(workflowId).signal('stopRun', { actor, keep });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return `The correction \`${run}\` has just ended; its comment says how.`;
  }
  const then = keep
    ? 'What it has put back by then stays, unless it is being taken back already, and its servers stay locked until somebody says `/doaas unlock` here.'
    : 'What it has put back by then is taken back, so that the servers are as they were found.';
  return `Stopping the correction \`${run}\` at the next safe point. ${then} Its comment says how it ended. In this issue it is not tried again.`;
}

/** Who cancelled a correction of this issue; then none is begun for it any more. `repository`: `owner/name`. */
export async function cancelledBy(
  { store }: Pick<Engine, 'store'>,
  repository: string,
  issue: number,
): Promise<string | undefined> {
  const [entry] = await store.audit.list({ repository, pull: issue, what: [CANCEL], limit: 1 });
  return entry?.who;
}

/**
 * The correction that has servers or waits for some, which it does from its first moment on. Locks outlive runs that were held
 * or died, so its workflow must be alive.
 */
async function inProgress(
  { store, temporal }: Reached,
  issue: PullRef,
): Promise<{ readonly run: string; readonly workflowId: string } | undefined> {
  const name = `${fullName(issue)}#${issue.number}`;
  const [locks, queue] = await Promise.all([store.locks.list(), store.locks.queue()]);
  const newestFirst = [...queue, ...locks.toSorted((a, b) => b.takenAt - a.takenAt)];
  for (const { pull, runId, workflowId } of newestFirst)
    if (pull === name && (await isAlive(temporal, workflowId))) return { run: runId, workflowId };
  return undefined;
}
