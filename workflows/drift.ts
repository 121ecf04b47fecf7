import { log, ParentClosePolicy, patched, sleep, startChild } from '@temporalio/workflow';
import type { DriftReport, PlannedCorrection, RepositoryRef } from '../engine/activities/types.ts';
import { reading, short } from './activities.ts';
import { noted } from './attempt.ts';
import { correction } from './correction.ts';
import { nextLook } from './nextLook.ts';
import { planRevision } from './plan.ts';
import { uploadSecurity } from './security.ts';

/**
 * Reads the servers of a repository's default branch, keeps one issue for each document that they differ from, and
 * begins the corrections that documents ask for. `at`: not before then, epoch ms.
 */
export async function drift(
  repository: RepositoryRef,
  at?: number,
): Promise<Pick<DriftReport, 'items' | 'issues' | 'skipped'>> {
  if (at !== undefined) await sleep(Math.max(1, at - Date.now()));
  const tip = await short.defaultBranchTip(repository);
  const plan = await planRevision({ repository, commit: tip.commit, drift: true });
  const { corrections = [], opensAt, ...report } = await reading.reportDrift(repository, tip, plan);
  for (const planned of corrections) await beginCorrection(planned);
  if (opensAt !== undefined) await lookAgain(repository, opensAt);
  if (patched('security-by-the-clock')) await uploadSecurity(repository, tip).catch(noted);
  return report;
}

/** One at a time for each document: while an earlier one waits for its servers, it is enough. */
async function beginCorrection(planned: PlannedCorrection): Promise<void> {
  const workflowId = `correction:${nameOf(planned.pull.repository)}:${planned.correction?.document ?? ''}`;
  await unlessRunning(() =>
    startChild(correction, {
      workflowId,
      args: [planned],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    }),
  );
}

/**
 * When a change window opens, which may be shut again before the schedule comes round. Each opening has a reading of its own: while one
 * waits for a later opening, an earlier one may come.
 */
async function lookAgain(repository: RepositoryRef, opensAt: number): Promise<void> {
  const each = patched('each-window');
  const at = each ? nextLook(opensAt, Date.now()) : opensAt;
  const workflowId = `drift-window:${nameOf(repository)}${each ? `:${new Date(at).toISOString()}` : ''}`;
  await unlessRunning(() =>
    startChild(drift, {
      workflowId,
      args: [repository, at],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    }),
  );
}

async function unlessRunning(start: () => Promise<unknown>): Promise<void> {
  try {
    await start();
  } catch (error) {
    // its class is not exported for workflows
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    log.info('it runs already', { reason: error.message });
  }
}

function nameOf({ owner, name }: RepositoryRef): string {
  return `${owner}/${name}`.toLowerCase();
}
