import { Context } from '@temporalio/activity';
import type { Engine } from './engine.ts';

/** Beside a time of GitHub's that a workflow waits for. */
export interface Ahead {
  /** How far Temporal's clock, which is the one of workflows, is ahead of GitHub's; ms. Left out where they agree, as far as can be told. */
  readonly aheadMs?: number;
}

/** GitHub's answers have whole seconds, and travel. ms. */
const TOLD_MIN_MS = 2_000;
/** So far behind may as well be how long the activity waited for its turn, and so late a wait may end. ms. */
const BEHIND_MIN_MS = 30_000;

/**
 * Says beside what the work gives how far the two clocks are apart. No duration: a workflow may hear of it only after the engine was
 * away for hours.
 */
export async function withAhead<T extends object>(
  { github }: Pick<Engine, 'github'>,
  work: () => Promise<T>,
): Promise<T & Ahead> {
  const { currentAttemptScheduledTimestampMs: begunAt } = Context.current().info;
  const begun = performance.now();
  const found = await work();
  const temporalMs = begunAt + performance.now() - begun;
  return { ...found, ...aheadOf(temporalMs, github.now().getTime()) };
}

/** Both epoch ms, of the same moment. */
export function aheadOf(temporalMs: number, githubMs: number): Ahead {
  const aheadMs = Math.round(temporalMs - githubMs);
  return aheadMs > TOLD_MIN_MS || aheadMs < -BEHIND_MIN_MS ? { aheadMs } : {};
}
