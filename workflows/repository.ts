import { condition, setHandler } from '@temporalio/workflow';
import type { RepositoryRef } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { branchPushed } from './messages.ts';

/** Pushes to one repository's branches: open pull requests on them are planned again. Ends when none is left. */
export async function repository(ref: RepositoryRef): Promise<void> {
  const pushed = new Set<string>();
  setHandler(branchPushed, (branch) => void pushed.add(branch));
  await condition(() => pushed.size > 0);
  for (const branch of pushed) {
    pushed.delete(branch);
    const numbers = await short.openPullsOn(ref, branch);
    await short.signalBaseMoved(ref, numbers);
  }
}
