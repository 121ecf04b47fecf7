import { driftScheduleId } from '../engine/activities/clock.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Winds the engine's schedules by hand, and waits for the issues that come of it. `seconds`: for an issue, and for a comment. */
export function driftVerbs(world: () => World, seconds: number) {
  /** A schedule names its workflows by the second, and takes no second one of a name. */
  let lastSecond = 0;
  const second = () => Math.floor(Date.now() / 1000);
  const handle = (schedule: string) => world().engine.temporal().schedule.getHandle(schedule);
  const trigger = async (schedule: string): Promise<void> => {
    await until(async () => (second() > lastSecond ? true : undefined), 'the next second');
    lastSecond = second();
    await handle(schedule).trigger('ALLOW_ALL');
  };
  /** Reads for drift. */
  const look = () => trigger(driftScheduleId(world().repo));
  /** Reads for drift, and waits for that reading. */
  const looked = async (): Promise<void> => {
    const last = async () =>
      (await handle(driftScheduleId(world().repo)).describe()).info.recentActions.at(-1)?.action.workflow
        .workflowId;
    const before = await last();
    await look();
    const reading = await until(async () => {
      const now = await last();
      return now === before ? undefined : now;
    }, 'a reading for drift');
    await world().engine.temporal().workflow.result(reading);
  };
  const issues = () => world().github.listIssues(world().repo);
  const said = async (number: unknown): Promise<readonly string[]> =>
    (await world().github.listComments(world().repo, Number(number))).map(({ body }) => String(body));
  return {
    trigger,
    look,
    looked,
    /** Sweeps, reads for drift as soon as the repository has a schedule for that, and waits for the reading: it is to see nothing of what comes next. */
    firstLook: async (): Promise<void> => {
      await trigger('sweep');
      await until(
        () =>
          handle(driftScheduleId(world().repo))
            .describe()
            .then(
              () => true as const,
              () => undefined,
            ),
        'a drift schedule',
      );
      await looked();
    },
    issues,
    issue: (state: string, text: RegExp) =>
      until(
        async () =>
          (await issues()).find((each) => each.state === state && text.test(`${each.title}\n${each.body}`)),
        `an issue that is ${state} like ${text}`,
        seconds,
        async () => JSON.stringify(await issues()),
      ),
    said,
    comment: (number: unknown, text: RegExp) =>
      until(
        async () => (await said(number)).find((body) => text.test(body)),
        `a comment like ${text}`,
        seconds,
        async () => JSON.stringify(await said(number)),
      ),
  };
}
