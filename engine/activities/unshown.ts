import { isShutOut } from '../github/errors.ts';
import { recordName } from '../github/workflowIds.ts';
import type { Run } from '../store/runs.ts';
import type { Engine } from './engine.ts';
import { revertDead, withDeadMerge } from './revertDead.ts';
import { keepDetail } from './runDetail.ts';
import type { RunDetail } from './runViews.ts';
import { showRun } from './showRun.ts';
import type { RepositoryRef, RunPhase, RunRef } from './types.ts';

/**
 * How runs of a repository ended where GitHub would not have it shown: archived, suspended, uninstalled, without a permission. Else
 * their checks would say for ever that they run.
 */
export async function showUnshown(engine: Engine, repository: RepositoryRef): Promise<void> {
  for (const stored of await engine.store.runs.unshown(recordName(repository))) {
    const { ref, unshown } = stored.detail as RunDetail & { readonly ref?: RunRef };
    if (ref === undefined || unshown === undefined) continue;
    const run = { ...ref, pull: { ...ref.pull, repository } };
    if (await isOvertaken(engine, stored)) {
      await keepDetail(engine, run, { unshown: undefined });
      continue;
    }
    await showEnd(engine, run, unshown).catch(async (error: unknown) => {
      if (isPassing(error)) throw error;
      engine.log.warn({ run: run.run, reason: String(error) }, 'how a run ended cannot be shown');
      if (!isShutOut(error)) await keepDetail(engine, run, { unshown: undefined });
    });
  }
}

/** One that never came to apply what was merged before is told of only with its revert, which may have had to wait, too. */
async function showEnd(engine: Engine, run: RunRef, end: RunPhase): Promise<void> {
  const isMissing = run.mergeSha !== undefined && end.kind === 'stale' && end.revert === undefined;
  await showRun(engine, run, isMissing ? withDeadMerge(end, await revertDead(engine, run)) : end);
}

/** Its pull request has a newer run since, of which its checks and its comment tell. */
async function isOvertaken(
  { store }: Engine,
  { id, repository, pullNumber, startedAt }: Run,
): Promise<boolean> {
  if (pullNumber === null) return false;
  const [newest] = await store.runs.ofPull(repository, pullNumber);
  return newest !== undefined && newest.id !== id && newest.startedAt > startedAt;
}

/**
 * The activity tries again; so does the next sweep where people can change it. What will never be shown, such as a run whose plan is
 * gone, is tried once.
 */
function isPassing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === true;
}
