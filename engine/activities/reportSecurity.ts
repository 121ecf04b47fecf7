import { recordName } from '../github/workflowIds.ts';
import { isSecured } from '../security/needs.ts';
import type { Engine } from './engine.ts';
import { resolveRun } from './runRevision.ts';
import { TASK_QUEUE } from './signalPull.ts';
import type { RunRef } from './types.ts';

/**
 * What a run changed shows among GitHub's alerts at once, not with the next reading for drift. One that still reads for an earlier run
 * saw servers before this one's changes, so it makes room. Never throws: the clock comes round.
 */
export async function reportSecurity(
  engine: Pick<Engine, 'revisions' | 'store' | 'temporal' | 'log'>,
  run: RunRef,
): Promise<void> {
  try {
    const { changed } = await resolveRun(engine, run);
    if (!isSecured(changed)) return;
    const { repository } = run.pull;
    await engine.temporal.workflow.start('securityUpload', {
      workflowId: `security:${recordName(repository)}`.toLowerCase(),
      workflowIdConflictPolicy: 'TERMINATE_EXISTING',
      taskQueue: TASK_QUEUE,
      args: [repository],
    });
  } catch (error) {
    engine.log.warn({ run: run.run, error }, 'the security report waits for the clock');
  }
}
