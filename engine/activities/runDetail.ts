import type { Json } from '../operations/operation.ts';
import type { Engine } from './engine.ts';
import type { RunDetail } from './runViews.ts';
import type { RunPhase, RunRef } from './types.ts';

/** Puts a part of what is shown of a run beside the others. One activity of a run writes at a time. */
export async function keepDetail(engine: Engine, run: RunRef, part: Partial<RunDetail>): Promise<void> {
  const detail: RunDetail = { ...(await detailOf(engine, run)), ...part };
  await engine.store.runs.update(run.run, { detail: detail as unknown as Json });
}

export async function detailOf({ store }: Pick<Engine, 'store'>, run: RunRef): Promise<RunDetail> {
  return ((await store.runs.get(run.run))?.detail ?? {}) as RunDetail;
}

/**
 * For the change of state by which a run ends without its workflow: whatever happens before it is shown, a later sweep shows it. Nothing of a
 * correction, whose end the sweep does not show.
 */
export async function unshownWith(
  engine: Pick<Engine, 'store'>,
  run: RunRef,
  phase: RunPhase,
): Promise<{ readonly detail?: Json }> {
  if (run.correction !== undefined) return {};
  const detail: RunDetail = { ...(await detailOf(engine, run)), unshown: phase };
  return { detail: detail as unknown as Json };
}
