import type { Account } from '../lab/github/accounts.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Presses a button as soon as the newest check of that name offers it. */
export function press(world: World, sha: string, name: string, button: string, by: Account): Promise<true> {
  return until(
    async () => {
      const run = (await world.checks(sha)).findLast((candidate) => candidate.name === name);
      if (run === undefined) return undefined;
      return world.github.clickCheckButton(world.repo, run.id, button, by).then(
        () => true,
        () => undefined,
      );
    },
    `the button ${button} of ${name}`,
    30,
    async () => JSON.stringify(await world.checks(sha)),
  );
}
