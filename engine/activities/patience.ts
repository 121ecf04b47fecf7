import { Context } from '@temporalio/activity';
import type { Engine } from './engine.ts';

/** Since when each of the things by these names has not been there, while it is waited for. */
export interface Patience {
  /** It is not there now; may it be waited for still? */
  readonly waits: (name: string, seconds: number) => boolean;
  /** It is there, or is given up. */
  readonly over: (name: string) => void;
}

/** `clock`: epoch ms. A process that starts again begins to count anew. */
export function createPatience(clock: () => number = Date.now): Patience {
  const missing = new Map<string, number>();
  return {
    waits: (name, seconds) => {
      const since = missing.get(name) ?? clock();
      missing.set(name, since);
      if (clock() - since < seconds * 1000) return true;
      missing.delete(name);
      return false;
    },
    over: (name) => void missing.delete(name),
  };
}

const secrets = createPatience();

/**
 * A vault that does not answer is waited for as a host that is away: this activity is tried again until
 * DOAAS_HOST_OUTAGE_SECONDS are over.
 */
export function waitsForSecrets({ config }: Pick<Engine, 'config'>): boolean {
  return secrets.waits(activityName(), config.hostOutageSeconds);
}

export function secretsAreThere(): void {
  secrets.over(activityName());
}

/** GitHub says for this long that a merge is under way, and it is taken for a refusal. Seconds. */
const MERGE_BUSY_SECONDS = 300;

const merges = createPatience();

/** This activity is tried again while it may be. */
export function waitsForMerge(): boolean {
  return merges.waits(activityName(), MERGE_BUSY_SECONDS);
}

export function mergeIsAnswered(): void {
  merges.over(activityName());
}

function activityName(): string {
  const { workflowExecution, activityId } = Context.current().info;
  return `${workflowExecution?.runId ?? ''} ${activityId}`;
}
