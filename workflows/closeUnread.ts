import { patched } from '@temporalio/workflow';
import type { PullRef } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import type { PullState } from './pullState.ts';

/** Servers were away when the last head was planned, and nobody will plan it again: else its check would be red for ever. */
export async function closeUnread(pull: PullRef, { snapshot, replan }: PullState): Promise<void> {
  if (replan === undefined || replan.headSha !== snapshot?.headSha || !patched('close-unread')) return;
  await short.closeOvertaken(pull, replan.headSha, 'closed');
}
