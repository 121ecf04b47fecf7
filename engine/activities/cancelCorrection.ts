import { WorkflowNotFoundError } from '@temporalio/client';
import { isAlive } from './alive.ts';
import type { Engine } from './engine.ts';
import { NO_PULL } from './planRef.ts';
import { fullName } from './pull.ts';
import type { IssueRequest, PullRef } from './types.ts';

type Reached = Pick<Engine, 'store' | 'temporal'>;

/** Verb in the audit log: somebody stopped a correction of this issue. */
const CANCEL = 'cancel';

const NOTHING =
  'Nothing is being corrected for this issue, so there is nothing to cancel. `drift: { action: report }` in the document, on the default branch, keeps it from being corrected; `/doaas status` says which corrections of this issue ran.';

/**
 * Tells the correction of an issue to stop; where there is none (`NO_PULL`), the one that `argument` names. Returns the
 * answer, Markdown of ours. Safe to repeat.
 */
export async function cancelCorrection(
  { store, temporal }: Reached,
  issue: PullRef,
  { actor, commentId, argument = '' }: Pick<IssueRequest, 'actor' | 'commentId' | 'argument'>,
  keep: boolean,
): Promise<string> {
  const named = issue.number === NO_PULL ? argument.toLowerCase() : undefined;
  const going = await inProgress({ store, temporal }, issue, named);
  if (going === undefined) return named === undefined ? NOTHING : nothingCalled(named);
  const { run, workflowId } = going;
  // before it hears of it: else one that a crash left unsaid would be begun again by the next reading
  await store.audit.append({
    who: actor,
    what: CANCEL,
    repository: fullName(issue),
    pull: issue.number,
    detail: { run, keep, comment: commentId ?? 0, document: documentOf(workflowId) },
    key: `${run} ${CANCEL} ${commentId ?? ''}`,
  });
  const how = named === undefined ? 'Its comment' : '`doaas audit`';
  try {
    await temporal.workflow.getHandle(workflowId).signal('stopRun', { actor, keep });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return `The correction \`${run}\` has just ended; ${how.toLowerCase()} says how.`;
  }
  const then = keep
    ? 'What it has put back by then stays, unless it is being taken back already, and its servers stay locked until somebody says `/doaas unlock` here.'
    : 'What it has put back by then is taken back, so that the servers are as they were found.';
  const again =
    named === undefined ? 'In this issue it is not tried again.' : 'It is not tried again for a day.';
  return `Stopping the correction \`${run}\` at the next safe point. ${then} ${how} says how it ended. ${again}`;
}

function nothingCalled(run: string): string {
  return `No correction \`${run}\` of this repository runs or waits, so there is nothing to cancel. \`doaas status\` lists those that do.`;
}

/** Of the id that workflows/drift.ts gives: `correction:OWNER/NAME:KIND/NAME`. */
function documentOf(workflowId: string): string {
  return workflowId.split(':').slice(2).join(':');
}

const DAY_MS = 24 * 3600 * 1000;

/**
 * Who cancelled a correction of this issue; then none is begun for it any more. Where there is no issue to close, who
 * cancelled one of this document within the last day. `repository`: `owner/name`.
 */
export async function cancelledBy(
  { store }: Pick<Engine, 'store'>,
  repository: string,
  issue: number,
  document = '',
): Promise<string | undefined> {
  const entries = { repository, pull: issue, what: [CANCEL] };
  if (issue !== NO_PULL) return (await store.audit.list({ ...entries, limit: 1 }))[0]?.who;
  const recent = await store.audit.list({ ...entries, since: Date.now() - DAY_MS });
  return recent.find(({ detail }) => (detail as { document?: unknown } | null)?.document === document)?.who;
}

/**
 * The correction that has servers or waits for some, which it does from its first moment on. Locks outlive runs that were held
 * or died, so its workflow must be alive.
 */
async function inProgress(
  { store, temporal }: Reached,
  issue: PullRef,
  named: string | undefined,
): Promise<{ readonly run: string; readonly workflowId: string } | undefined> {
  const name = `${fullName(issue)}#${issue.number}`;
  const [locks, queue] = await Promise.all([store.locks.list(), store.locks.queue()]);
  const newestFirst = [...queue, ...locks.toSorted((a, b) => b.takenAt - a.takenAt)];
  for (const { pull, runId, workflowId } of newestFirst)
    if (pull === name && (named ?? runId) === runId && (await isAlive(temporal, workflowId)))
      return { run: runId, workflowId };
  return undefined;
}
