import { patched } from '@temporalio/workflow';
import { short } from './activities.ts';
import { noted } from './attempt.ts';
import { causeOf, typeOf } from './cause.ts';
import type { Desk } from './pullGate.ts';
import { cancelDeployment } from './pullRollback.ts';

/**
 * What GitHub will not let the engine read or show is looked at anew when it does again (unarchived, unsuspended, installed again): the
 * store forgets what was seen, so that a sweep notices. A run of what is gone is rolled back. Throws what it was given.
 */
export async function lose(desk: Desk, error: unknown): Promise<never> {
  const type = typeOf(error);
  if ((type === 'github-not-found' || type === 'github-refused') && patched('lost')) {
    const gone = type === 'github-not-found';
    desk.change({ lost: gone ? 'gone' : 'refused' });
    await short.forgetPull(desk.pull, !gone).catch(noted);
    const { running } = desk.state();
    // nobody can be asked, nor could it be merged
    if (gone && running !== undefined && patched('put-back-lost'))
      await cancelDeployment(
        running.workflowId,
        `The pull request was lost while it was applied: ${causeOf(error)}`,
      );
  }
  throw error;
}
