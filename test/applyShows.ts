import { until } from './until.ts';
import type { CheckRun, World } from './world.ts';

/** Waits until title or summary of `doaas/apply` match, in whatever state the check is. */
export function applyShows(world: World, sha: string, text: RegExp, seconds: number): Promise<CheckRun> {
  return until(
    async () =>
      (await world.checks(sha)).find(
        (run) => run.name === 'doaas/apply' && text.test(`${run.title}\n${run.summary}`),
      ),
    `doaas/apply to show ${text}`,
    seconds,
    async () => JSON.stringify(await world.checks(sha)),
  );
}
