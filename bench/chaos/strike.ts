import { setTimeout as pause } from 'node:timers/promises';
import Database from 'libsql';
import type { LabHost } from '../../lab/hosts.ts';
import type { Scene } from '../../test/chaos.ts';
import { temporalBelow } from '../processes.ts';
import type { FaultName, Trial } from './trial.ts';

/** An outage is at least and at most so long. Seconds. */
const SHORTEST = 1;
const LONGEST = 12;
/** Either way. Seconds. */
const CLOCK_JUMP_MAX = 7_200;
/** An engine that loses its Temporal gives up by then. Seconds. */
const GIVES_UP_WITHIN = 60;
/** Of the requests in an outage of GitHub, those that are done although the answer is lost. */
const DONE_ALL_THE_SAME = 3;
const FILLER = '/var/tmp/filler';

/** Does it, waits, and mends what a person or a service manager would mend. */
export async function strike(scene: Scene, trial: Trial): Promise<void> {
  const host = scene.hosts[trial.host];
  if (host === undefined) throw new Error(`there is no host ${trial.host}`);
  await BY_NAME[trial.fault](scene, trial, host);
}

type Fault = (scene: Scene, trial: Trial, host: LabHost) => Promise<void>;

const BY_NAME: Readonly<Record<FaultName, Fault>> = {
  'engine-killed': async ({ world, supervise }, trial) => {
    await world.engine.kill();
    await outage(trial);
    await supervise();
  },
  'temporal-killed': async ({ world, supervise }) => {
    const temporal = await temporalBelow(world.engine.pid());
    if (temporal === undefined) throw new Error('the Temporal server was not found below the engine');
    process.kill(temporal, 'SIGKILL');
    const gone = await Promise.race([world.engine.ended(), pause(GIVES_UP_WITHIN * 1000, 'lives' as const)]);
    if (gone === 'lives') throw new Error('the engine goes on without its Temporal server');
    await supervise();
  },
  'store-killed': async (scene, trial) => {
    if (scene.postgres === undefined) return locked(scene.storeFile, trial);
    await scene.postgres.crash();
    await outage(trial);
    await scene.postgres.start();
  },
  'host-rebooted': async (_, trial, host) => {
    await host.kill();
    await outage(trial);
    await host.start();
  },
  'ssh-cut': async (_, trial, host) => {
    await host.cut();
    await outage(trial).finally(() => host.heal());
  },
  'github-5xx': async ({ world: { github } }, trial) => {
    github.faults.add({ times: DONE_ALL_THE_SAME, respond: { status: 502 }, afterEffect: true });
    github.faults.add({ times: Number.MAX_SAFE_INTEGER, respond: { status: 502 } });
    await outage(trial).finally(() => github.faults.clear());
  },
  'disk-full': async (_, trial, host) => {
    await host.exec(
      `dd if=/dev/zero of=${FILLER} bs=1M 2>/dev/null; dd if=/dev/zero of=${FILLER}2 bs=512 2>/dev/null`,
    );
    await outage(trial).finally(() => host.exec(`rm -f ${FILLER} ${FILLER}2`));
  },
  'clock-jump': ({ setClock }, { strength }) => setClock(Math.round((strength * 2 - 1) * CLOCK_JUMP_MAX)),
};

function outage({ strength }: Trial): Promise<void> {
  return pause((SHORTEST + strength * (LONGEST - SHORTEST)) * 1000);
}

/** Somebody else holds the file's write lock, as a backup that hangs would. */
async function locked(file: string, trial: Trial): Promise<void> {
  const other = new Database(file);
  try {
    // the engine may be writing just now
    other.pragma('busy_timeout = 5000');
    other.exec('BEGIN IMMEDIATE');
    await outage(trial);
    other.exec('ROLLBACK');
  } finally {
    other.close();
  }
}
