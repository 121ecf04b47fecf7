import type { Client, ScheduleOptions } from '@temporalio/client';
import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';

/** Of all schedules; whose workflow still runs is not started again. */
const SKIP = 'SKIP';
/** An engine that was away runs what it missed once, if it comes back within this time. */
const CATCH_UP = '10 minutes';
/**
 * One that does not end would be the last. None takes so long but in an outage, or by a defect that is tried again without end; it is
 * ended then, and the next one does the same work.
 */
const RUN_MAX = '6 hours';

export interface Clockwork {
  readonly id: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly args: readonly unknown[];
  readonly everyMinutes: number;
}

type Schedules = Pick<Client, 'schedule'>;

/**
 * Makes the schedule be so. A tenth of the interval is jitter, and each schedule has its own phase, so that many of
 * them do not start together. True when it was not there before.
 */
export async function ensureSchedule({ schedule }: Schedules, clockwork: Clockwork): Promise<boolean> {
  const options = optionsOf(clockwork);
  try {
    await schedule.create(options);
    return true;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const { spec, action } = options;
  await schedule.getHandle(clockwork.id).update((before) => ({ ...before, spec, action }));
  return false;
}

function optionsOf({ id, workflowType, taskQueue, args, everyMinutes }: Clockwork): ScheduleOptions {
  const everyMs = everyMinutes * 60_000;
  return {
    scheduleId: id,
    spec: { intervals: [{ every: everyMs, offset: phaseOf(id, everyMs) }], jitter: everyMs / 10 },
    action: {
      type: 'startWorkflow',
      workflowType,
      workflowId: id,
      taskQueue,
      args: [...args],
      workflowExecutionTimeout: RUN_MAX,
    },
    policies: { overlap: SKIP, catchupWindow: CATCH_UP },
  };
}

/** The same for the same id; whole seconds. */
function phaseOf(id: string, everyMs: number): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 1_000_003;
  return (hash % Math.max(1, Math.floor(everyMs / 1000))) * 1000;
}

/** Runs it now, beside its timetable. */
export async function triggerSchedule({ schedule }: Schedules, id: string): Promise<void> {
  await schedule.getHandle(id).trigger(SKIP);
}

/** Harmless where it is not there. */
export async function removeSchedule({ schedule }: Schedules, id: string): Promise<void> {
  try {
    await schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

/** Ids that begin so. */
export async function scheduleIds({ schedule }: Schedules, prefix: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of schedule.list()) if (scheduleId.startsWith(prefix)) ids.push(scheduleId);
  return ids;
}
