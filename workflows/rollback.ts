import { condition, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type {
  Answer,
  LateRollback,
  LockOutcome,
  Request,
  RunRef,
  UndoOutcome,
} from '../engine/activities/types.ts';
import { passing, short } from './activities.ts';
import { noted } from './attempt.ts';
import { causeOf } from './cause.ts';
import { recover } from './deployment.ts';
import { askAgainAfter } from './lockRetry.ts';
import { locksReleased, stopRun } from './messages.ts';
import { groupsOf } from './rollingBack.ts';
import { undoHost, withSites } from './sites.ts';

/**
 * Takes a merged change back: the revert pull request first, so that the repository is never without a way to say
 * what the hosts are; then what the receipts of the run recorded. `run` is the run that applied, `as` its rollback.
 * `request`: whose answer says for whom it waits. Until it has its hosts it can be cancelled; then it goes on to its end.
 */
export async function rollback(applied: RunRef, as: RunRef, request?: Request): Promise<LateRollback> {
  let released = false;
  let told = '';
  let stoppedBy: string | undefined;
  setHandler(stopRun, ({ actor }) => {
    stoppedBy ??= actor;
  });
  setHandler(locksReleased, () => {
    released = true;
  });
  const start = await short.startRun(as, 'rollback');
  const run = withSites(applied, start);
  const revert = await short.openRevert(run).catch((error: unknown) => causeOf(error));
  if (typeof revert === 'string') {
    await short.endRun(as, 'stale', undefined);
    const reason = `the revert pull request could not be opened: ${revert}`;
    return { kind: 'refused', revert: undefined, reasons: [reason], remarks: [] };
  }
  const giveUp = async (reason: string): Promise<LateRollback> => {
    await short.endRun(as, 'stale', undefined);
    await short.releaseLocks(as.run);
    return { kind: 'refused', revert, reasons: [reason], remarks: [] };
  };
  if (start?.refused !== undefined) return giveUp(start.refused);
  for (let asked = 1; ; asked += 1) {
    const answer = await short.acquireLocks(as, workflowInfo().workflowId);
    if (stoppedBy !== undefined) return giveUp(`${stoppedBy} cancelled it while it waited for its servers`);
    if (answer.kind === 'granted') break;
    if (answer.kind === 'needs-recovery') {
      const left = await recover(as, answer.runs);
      if (left === undefined) continue;
      return giveUp(left);
    }
    if (answer.kind === 'full') return giveUp(answer.reason);
    if (request !== undefined) told = await tellWait(as, request, revert, answer, told);
    await condition(() => released || stoppedBy !== undefined, askAgainAfter(answer.position, asked));
    released = false;
  }
  if (request !== undefined && told !== '') await tell(as, request, PUTTING_BACK);
  const outcomes = await undoAll(run, as);
  const result = summarise(outcomes, revert);
  await short.endRun(as, result.kind === 'refused' ? 'stale' : result.kind, undefined);
  if (result.kind !== 'held') await short.releaseLocks(as.run);
  // it was opened, and perhaps planned, before the hosts were put back
  if (patched('plan-revert-again')) await short.planAgain({ ...as.pull, number: revert }).catch(noted);
  return result;
}

/** In groups as large as the batches in which the hosts were changed. */
async function undoAll(run: RunRef, as: RunRef): Promise<readonly UndoOutcome[]> {
  const outcomes: UndoOutcome[] = [];
  const hosts = run.plan.hosts.map(({ name }) => name);
  for (const group of await groupsOf(run, [], hosts))
    outcomes.push(...(await Promise.all(group.map((host) => undoLate(run, as, host)))));
  return outcomes;
}

const PUTTING_BACK = 'The hosts are free now, and are being put back.';

/** Says it where it was asked for, when it is news; gives what is said there now. */
async function tellWait(
  as: RunRef,
  request: Request,
  revert: number,
  { position, behind }: Extract<LockOutcome, { kind: 'waiting' }>,
  told: string,
): Promise<string> {
  const news = `${behind === '' ? '' : position} ${behind}`;
  if (news !== told) await tell(as, request, { kind: 'rollback-waits', revert, position, behind });
  return news;
}

/** Whether GitHub takes it or not, the rollback goes on. */
async function tell({ pull }: RunRef, request: Request, answer: Answer): Promise<void> {
  await passing.answer(pull, request, answer).catch(noted);
}

async function undoLate(run: RunRef, as: RunRef, host: string): Promise<UndoOutcome> {
  const waves = run.plan.hosts.find(({ name }) => name === host)?.waves ?? [];
  try {
    return await undoHost(run, host, [...waves].reverse(), { as: as.run });
  } catch (error) {
    return { kind: 'held', reason: `${host}: ${causeOf(error)}` };
  }
}

function summarise(outcomes: readonly UndoOutcome[], revert: number): LateRollback {
  const reasons = outcomes.flatMap((outcome) => (outcome.kind === 'rolled-back' ? [] : [outcome.reason]));
  const remarks = outcomes.flatMap((outcome) =>
    outcome.kind === 'rolled-back' ? (outcome.remarks ?? []) : [],
  );
  if (reasons.length === 0) return { kind: 'rolled-back', revert, reasons, remarks };
  const refused = outcomes.every((outcome) => outcome.kind === 'refused');
  return { kind: refused ? 'refused' : 'held', revert, reasons, remarks };
}
