import { condition, patched, setHandler, sleep } from '@temporalio/workflow';
import type { RepositoryRef } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { branchPushed } from './messages.ts';

/**
 * To plan one pull request again takes about half a second. Where many are open, a merge each second would have all of them planned
 * again each second, and nothing else would be done; so what is pushed meanwhile is told them together. ms
 */
const PAUSE_PER_PULL_MS = 1_000;
/** A plan is shown as it was before a push for this long at most; an apply looks at its servers again anyhow. ms */
const PAUSE_MAX_MS = 600_000;

/** Pushes to one repository's branches: open pull requests on them are planned again. Ends when none is left. */
export async function repository(ref: RepositoryRef): Promise<void> {
  const pushed = new Set<string>();
  setHandler(branchPushed, (branch) => void pushed.add(branch));
  await condition(() => pushed.size > 0);
  for (const branch of pushed) {
    pushed.delete(branch);
    const numbers = await short.openPullsOn(ref, branch);
    // most branches are those of pull requests, on which nothing is based
    if (numbers.length === 0 && patched('nobody-to-tell')) continue;
    await short.signalBaseMoved(ref, numbers);
    if (numbers.length > 0 && patched('pause-after-push'))
      await sleep(Math.min(numbers.length * PAUSE_PER_PULL_MS, PAUSE_MAX_MS));
  }
}
