import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { pinnedRun } from './pinnedRun.ts';
import type { DesiredHosts } from './revisions.ts';
import type { Revision, RunRef } from './types.ts';

/** What a run brings to its hosts: the planned merge, or what was merged already. */
export function revisionOf({ plan, mergeSha }: RunRef): Revision {
  return { headSha: mergeSha ?? plan.headSha, baseSha: plan.baseSha };
}

/**
 * The desired state that a run works towards. Once it is confirmed the store has that, so GitHub may be away and this process new;
 * contents are left out then. `host`: it alone is needed.
 */
export async function resolveRun(
  engine: Pick<Engine, 'revisions' | 'store'>,
  run: RunRef,
  host?: string,
): Promise<DesiredHosts> {
  const pinned = await pinnedRun(engine.store, run, host);
  if (pinned === undefined) return runInGit(engine, run);
  return run.correction === undefined ? pinned : { ...pinned, isCorrection: true };
}

/** The same with all contents, for who confirms the run. A correction changes no document: all that differs is drift. */
export async function runInGit({ revisions }: Pick<Engine, 'revisions'>, run: RunRef): Promise<DesiredHosts> {
  const { pull, plan } = run;
  if (run.correction === undefined) {
    const resolved = await revisions.resolve(pull, revisionOf(run));
    if (resolved.kind === 'conflict') throw permanent('the revision of a running plan conflicts');
    return resolved;
  }
  const { resolution } = await revisions.resolveCommit(pull.repository, plan.headSha);
  const names = new Set(plan.hosts.map(({ name }) => name));
  return {
    merged: resolution,
    base: resolution,
    changed: resolution.hosts.filter(({ name }) => names.has(name)),
    changedItems: () => new Set(),
    isCorrection: true,
  };
}
