import { setTimeout as pause } from 'node:timers/promises';
import type { Scene } from '../../test/chaos.ts';
import { until } from '../../test/until.ts';
import type { Ended } from './verdict.ts';

/** A run with its fault, its retries and what it waits for. Seconds. */
const ENDS_WITHIN = 300;
const PLANNED_WITHIN = 120;
/** A run whose plan did not hold while a host was away. Seconds. */
const BEGINS_AGAIN_WITHIN = 60;
const LOOK_EVERY_MS = 250;

/** One pull request. `sha`: of its head. */
export interface Pull {
  readonly pull: number;
  readonly sha: string;
}

export async function isPlanned({ world }: Scene, { sha }: Pull): Promise<boolean> {
  return (await world.checks(sha)).some(
    ({ name, status }) => name === 'doaas/plan' && status === 'completed',
  );
}

/** One that failed while something was away is asked for once more, as its check tells people to do. */
export async function planned(scene: Scene, opened: Pull): Promise<void> {
  const { world } = scene;
  const plan = async () => {
    await scene.supervise();
    const check = (await world.checks(opened.sha)).findLast(({ name }) => name === 'doaas/plan');
    return check?.status === 'completed' ? check : undefined;
  };
  const first = await until(plan, 'the plan', PLANNED_WITHIN);
  if (first.conclusion === 'success') return;
  await world.say(opened.pull, '/doaas plan');
  await world.check(opened.sha, 'doaas/plan', { conclusion: 'success', seconds: PLANNED_WITHIN });
}

export async function isOver(scene: Scene, opened: Pull): Promise<boolean> {
  return (await endNow(scene, opened)) !== undefined;
}

/** It is seen to have ended; `not-begun` may yet begin again by itself. */
async function endNow({ world }: Scene, { pull, sha }: Pull): Promise<Ended | 'not-begun' | undefined> {
  if (await world.merged(pull)) return 'applied';
  const apply = (await world.checks(sha)).findLast(({ name }) => name === 'doaas/apply');
  if (apply?.status !== 'completed' || apply.conclusion === 'success') return undefined;
  if (/needs? a person/.test(apply.title)) return 'neither';
  return apply.conclusion === 'failure' ? 'rolled-back' : 'not-begun';
}

export async function endOf(scene: Scene, opened: Pull): Promise<Ended> {
  const deadline = performance.now() + ENDS_WITHIN * 1000;
  let stale: number | undefined;
  while (performance.now() < deadline) {
    await scene.supervise();
    const end = await endNow(scene, opened);
    if (end !== undefined && end !== 'not-begun') return end;
    stale = end === undefined ? undefined : (stale ?? performance.now());
    if (stale !== undefined && performance.now() - stale > BEGINS_AGAIN_WITHIN * 1000) return 'rolled-back';
    await pause(LOOK_EVERY_MS);
  }
  return 'neither';
}

const TAKEN_BACK = /The hosts are as they were before .*Pull request #(\d+) reverts it/;

/** The pull request that reverts it, once the answer to this comment says that the hosts are as before. */
export async function takenBackNow(
  { world }: Scene,
  { pull }: Pull,
  comment: number,
): Promise<Pull | undefined> {
  const comments = await world.github.listComments(world.repo, pull);
  const marker = `<!-- doaas:reply-${comment} -->`;
  const reply = comments.map(({ body }) => String(body)).find((body) => body.startsWith(marker)) ?? '';
  const revert = Number(TAKEN_BACK.exec(reply)?.[1]);
  if (!Number.isSafeInteger(revert)) return undefined;
  const { head } = await world.github.getPull(world.repo, revert);
  return { pull: revert, sha: String((head as { sha: string }).sha) };
}

export async function untilTakenBack(scene: Scene, opened: Pull, comment: number): Promise<Pull | undefined> {
  const now = async (): Promise<Pull | undefined> => {
    await scene.supervise();
    return takenBackNow(scene, opened, comment);
  };
  return until(now, 'the answer to /doaas rollback', ENDS_WITHIN).catch(() => undefined);
}
