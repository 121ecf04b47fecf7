import { patched } from '@temporalio/workflow';
import { short } from './activities.ts';
import { noted } from './attempt.ts';
import { typeOf } from './cause.ts';
import type { Desk } from './pullGate.ts';

/**
 * What GitHub will not let the engine read or show is looked at anew when it does again (unarchived, unsuspended, installed again): the
 * store forgets what was seen, so that a sweep notices. Throws what it was given.
 */
export async function lose(desk: Desk, error: unknown): Promise<never> {
  const type = typeOf(error);
  if ((type === 'github-not-found' || type === 'github-refused') && patched('lost')) {
    const gone = type === 'github-not-found';
    desk.change({ lost: gone ? 'gone' : 'refused' });
    await short.forgetPull(desk.pull, !gone).catch(noted);
  }
  throw error;
}
