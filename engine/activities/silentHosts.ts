import { targetOf } from '../hosts/readHost.ts';
import type { HostTarget } from '../hosts/target.ts';
import { sh } from '../shell/sh.ts';
import { isSameMachine } from '../store/machine.ts';
import type { Store } from '../store/store.ts';
import { withAhead } from './ahead.ts';
import { confirmRest } from './confirm.ts';
import type { Engine } from './engine.ts';
import { hostOf } from './hostRun.ts';
import { identityOf } from './identity.ts';
import { inParallel, isAway } from './planning.ts';
import { resolveRun } from './runRevision.ts';
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
  const mates = await matesIn(engine, run, hosts);
  const silent = await inParallel(hosts, HOSTS_AT_ONCE, async (host) => {
    const mate = mates.get(host);
    if (mate === undefined) return isSilent(engine, (await hostOf(engine, run, host)).target);
    return mate.needsRecovery || isSilent(engine, mate.target);
  });
  return hosts.filter((_, i) => silent[i]);
}

interface Mate {
  readonly target: HostTarget;
  /** A run that died has left it as it may be: nobody knows that it serves. */
  readonly needsRecovery: boolean;
}

/** Those that the run does not change, which are kept with those that it does. */
async function matesIn(
  engine: Engine,
  run: RunRef,
  hosts: readonly string[],
): Promise<ReadonlyMap<string, Mate>> {
  const changed = new Set(run.plan.hosts.map(({ name }) => name));
  const mates = hosts.filter((host) => !changed.has(host));
  if (mates.length === 0) return new Map();
  const { merged } = await resolveRun(engine, run);
  const servers = merged.hosts.flatMap(({ name, server }) => (mates.includes(name) ? [server] : []));
  const left = await leftBehind(engine.store, servers.map(identityOf));
  return new Map(
    servers.map((server) => {
      const identity = identityOf(server);
      const needsRecovery = left.some((other) => isSameMachine(other, identity));
      return [server.name, { target: targetOf(server), needsRecovery }];
    }),
  );
}

/** Identities of those on which a dead run has begun something; one that only held the lock has left nothing. */
async function leftBehind(
  { hosts, receipts }: Pick<Store, 'hosts' | 'receipts'>,
  identities: readonly string[],
): Promise<readonly string[]> {
  const needing = (await hosts.needRecovery(identities)).map(({ identity }) => identity);
  const open = await Promise.all(needing.map((identity) => receipts.open(identity)));
  return needing.filter((_, i) => open[i]?.length !== 0);
}

/** Only silence counts: what else is wrong is for the host's own steps to say. */
async function isSilent(engine: Engine, target: HostTarget): Promise<boolean> {
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
