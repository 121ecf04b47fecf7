import { sh } from '../shell/sh.ts';
import { withAhead } from './ahead.ts';
import { confirmRest } from './confirm.ts';
import type { Engine } from './engine.ts';
import { hostOf } from './hostRun.ts';
import { inParallel, isAway } from './planning.ts';
import { stopRun } from './stopRun.ts';
import type { RolloutActivities, RunRef } from './types.ts';
import { windowNow } from './windowNow.ts';

export function rolloutActivities(engine: Engine): RolloutActivities {
  return {
    windowNow: (windows) => withAhead(engine, async () => windowNow(windows, engine.github.now().getTime())),
    confirmRest: (run, leftOut, parts) => withAhead(engine, () => confirmRest(engine, run, leftOut, parts)),
    silentHosts: (run, hosts) => silentHosts(engine, run, hosts),
    stopRun: (workflowId, stop) => stopRun(engine, workflowId, stop),
    decisionDeadline: async () =>
      new Date(Date.now() + engine.config.cancelDecisionSeconds * 1000).toISOString(),
  };
}

/** A host has this many chances to answer before it counts as silent, so that one lost packet skips nobody. */
const TRIES = 3;
const HOSTS_AT_ONCE = 32;

async function silentHosts(
  engine: Engine,
  run: RunRef,
  hosts: readonly string[],
): Promise<readonly string[]> {
  const silent = await inParallel(hosts, HOSTS_AT_ONCE, (host) => isSilent(engine, run, host));
  return hosts.filter((_, i) => silent[i]);
}

/** Only silence counts: what else is wrong is for the host's own steps to say. */
async function isSilent(engine: Engine, run: RunRef, host: string): Promise<boolean> {
  const { target } = await hostOf(engine, run, host);
  for (let left = TRIES; left > 0; left--) {
    try {
      await engine.transport.withSession(target, (session) => session.run(sh`:`, { timeoutSeconds: 30 }));
      return false;
    } catch (error) {
      if (!isAway(error)) return false;
    }
  }
  return true;
}
