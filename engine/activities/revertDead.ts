import { isRefused } from '../github/errors.ts';
import { getPull } from '../github/pulls.ts';
import { messageOf } from '../hosts/host-error.ts';
import { asideOf } from '../policy/aside.ts';
import type { Engine } from './engine.ts';
import { openRevertOf } from './revert.ts';
import type { RunPhase, RunRef } from './types.ts';

/** What the branch says of a dead run. */
export interface DeadMerge {
  readonly merged: boolean;
  /** Of the pull request that takes it back. */
  readonly revert?: number;
  /** Why there is none. */
  readonly refused?: string;
}

/**
 * What a dead run has done is undone, or was never done: where it is merged all the same its revert is opened, as if the run had come to
 * that end by itself. Safe to repeat. Throws what passes, such as a GitHub that is away.
 */
export async function revertDead(engine: Engine, run: RunRef): Promise<DeadMerge> {
  const { pull, plan, correction, mergeSha } = run;
  if (correction !== undefined) return { merged: false };
  const client = await engine.github.installationClient(pull.repository.installationId);
  const now = await orRefusal(getPull(client, pull.repository, pull.number));
  if (typeof now === 'string') return { merged: mergeSha !== undefined, refused: now };
  // the branch that says what its servers are has not got it
  if (now.mergeSha === undefined || asideOf(now) !== undefined) return { merged: false };
  const why = `whose run \`${run.run}\` ended without cleaning up`;
  const opened = await orRefusal(openRevertOf(client, pull, now, plan, why));
  return typeof opened === 'string'
    ? { merged: true, refused: opened }
    : { merged: true, revert: opened.number };
}

async function orRefusal<T extends object>(asked: Promise<T>): Promise<T | string> {
  return asked.catch((error: unknown) => {
    if (!isRefused(error)) throw error;
    return messageOf(error);
  });
}

type Ended = Extract<RunPhase, { readonly kind: 'needs-recovery' | 'rolled-back' | 'stale' }>;

/** For the phase in which it is shown: the revert, and else why there is none. */
export function withDeadMerge<T extends Ended>(phase: T, { merged, revert, refused }: DeadMerge): T {
  if (revert !== undefined) return { ...phase, revert };
  if (!merged) return phase;
  if (refused !== undefined && phase.kind !== 'needs-recovery') return { ...phase, revert: { refused } };
  const why = refused === undefined ? '' : ` (${refused})`;
  return { ...phase, reason: `${phase.reason}; it is merged, and its revert could not be opened${why}` };
}
