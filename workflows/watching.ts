import { condition } from '@temporalio/workflow';
import { short } from './activities.ts';
import type { DeploymentEnded } from './messages.ts';
import type { Running } from './pullState.ts';

const WATCH_INTERVAL = '15 seconds';

/**
 * Waits until a run is over, and says whether its workflow was ended from outside, for else it reports its end by itself.
 * Asked twice, because its report may still be on its way.
 */
export async function hasDied(workflowId: string, isOver: () => boolean): Promise<boolean> {
  for (let dead = 0; dead < 2; ) {
    if (await condition(isOver, WATCH_INTERVAL)) return false;
    dead = (await short.isRunning(workflowId)) ? 0 : dead + 1;
  }
  return true;
}

/** Of a run that an earlier execution of this workflow started. */
export async function watchInherited(
  { run, workflowId }: Running,
  running: () => Running | undefined,
  ended: DeploymentEnded[],
): Promise<void> {
  const died = await hasDied(workflowId, () => running()?.run !== run);
  if (died) ended.push({ run, end: 'cancelled', reason: 'its workflow was ended' });
}
