import { openScene, type Scene } from '../../test/chaos.ts';
import { progress } from '../report.ts';
import { changeOf, nameOf } from './change.ts';
import { type Fault, type RunResult, runOnce } from './run.ts';
import type { Mode, PackageChange, Trial } from './trial.ts';
import { type Ended, type Reference, referenceOf } from './verdict.ts';

/** What undisturbed runs with one change did, and how long each part of them took. */
interface Known {
  readonly reference: Reference;
  readonly seconds: number;
}

/** Undisturbed runs, of any scene: what they do does not depend on the store. By mode and change. */
export type Calm = Map<string, Known>;

/** A scene, and what its repository and its hosts say now. */
export interface Stage {
  readonly scene: Scene;
  readonly calm: Calm;
  /** The change that was merged last. */
  now: PackageChange;
  runs: number;
}

const STAYS: ReadonlySet<Ended> = new Set(['rolled-back', 'taken-back']);
const ENDS: Readonly<Record<Mode, Ended>> = {
  plan: 'applied',
  apply: 'applied',
  rollback: 'rolled-back',
  'take-back': 'taken-back',
};

export async function openStage(store: Trial['store'], calm: Calm): Promise<Stage> {
  const start = { name: nameOf(0, 'calm'), change: 'remove' } as const;
  const scene = await openScene(store, { 'chaos.yaml': changeOf(start, 'apply') }, progress);
  return { scene, calm, now: 'remove', runs: 0 };
}

/** All that judging such a run takes is known after it, and the hosts are as the run is to find them. */
export async function prepare(stage: Stage, { mode, change }: Trial): Promise<void> {
  // first contact, which no later run has again
  if (stage.runs === 0) await calmRun(stage, 'remove', 'apply');
  for (const needed of neededFor(mode)) await known(stage, needed, change);
  await beginFrom(stage, change);
}

/** An apply may end in either way, and a plan is timed by an apply. */
function neededFor(mode: Mode): readonly Mode[] {
  return mode === 'plan' || mode === 'apply' ? ['rollback', 'apply'] : [mode];
}

async function known(stage: Stage, mode: Mode, change: PackageChange): Promise<void> {
  if (stage.calm.has(keyOf(mode, change))) return;
  await beginFrom(stage, change);
  await learn(stage, mode, change);
}

async function beginFrom(stage: Stage, change: PackageChange): Promise<void> {
  if (stage.now === change) await learn(stage, 'apply', change === 'install' ? 'remove' : 'install');
}

async function learn(stage: Stage, mode: Mode, change: PackageChange): Promise<void> {
  const { name, result } = await calmRun(stage, change, mode);
  const reference = stage.calm.get(keyOf(mode, change))?.reference ?? referenceOf(name, result.observed);
  const parts: readonly Mode[] = mode === 'apply' ? ['plan', 'apply'] : [mode];
  // the last one tells best how fast this machine is now
  for (const part of parts)
    stage.calm.set(keyOf(part, change), { reference, seconds: result.seconds[part] ?? 0 });
}

async function calmRun(stage: Stage, change: PackageChange, mode: Mode) {
  stage.runs += 1;
  const name = nameOf(stage.runs, 'calm');
  const result = await runOnce(stage.scene, { name, change }, mode, undefined);
  const { ended, checks, locks } = result.observed;
  if (ended !== ENDS[mode] || locks.length > 0)
    throw new Error(
      `an undisturbed ${mode} ended as ${ended}: ${[...locks, ...checks.map((check) => `${check.name} ${check.title}`)].join('; ')}`,
    );
  if (!STAYS.has(ended)) stage.now = change;
  progress(`undisturbed: ${mode}, ${change}: ${secondsOf(result)}`);
  return { name, result };
}

function secondsOf({ seconds }: RunResult): string {
  return Object.entries(seconds)
    .map(([part, took]) => `${part} ${took.toFixed(1)} s`)
    .join(', ');
}

/** A part that was over before its fault is met earlier the next time, by this much. */
const EARLIER = 0.6;

/** The run itself, tried for the first time (1) or again. */
export async function disturbed(stage: Stage, trial: Trial, attempt: number) {
  const wanted = { name: nameOf(trial.n, 'run', attempt), change: trial.change };
  const fault: Fault = {
    trial,
    afterSeconds: trial.moment * secondsFor(stage, trial) * EARLIER ** (attempt - 1),
  };
  progress(
    `run ${trial.n}: ${trial.fault}, ${trial.mode}, ${trial.change}, ${trial.store}, after ${fault.afterSeconds.toFixed(1)} s, host ${trial.host + 1}`,
  );
  const result = await runOnce(stage.scene, wanted, trial.mode, fault);
  if (result.observed.merged && !STAYS.has(result.observed.ended)) stage.now = trial.change;
  return { wanted, result };
}

function secondsFor({ calm }: Stage, { mode, change }: Trial): number {
  return calm.get(keyOf(mode, change))?.seconds ?? 0;
}

/** What the run is compared with, by how it ended. */
export function referenceFor({ calm }: Stage, { mode, change }: Trial, ended: Ended): Reference | undefined {
  const like: Readonly<Record<Ended, Mode>> = {
    applied: 'apply',
    'rolled-back': 'rollback',
    'taken-back': 'take-back',
    neither: mode,
  };
  return calm.get(keyOf(like[ended], change))?.reference;
}

function keyOf(mode: Mode, change: PackageChange): string {
  return `${mode} ${change}`;
}
