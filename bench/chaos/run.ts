import { setTimeout as pause } from 'node:timers/promises';
import type { Scene } from '../../test/chaos.ts';
import { changeOf, type Wanted } from './change.ts';
import { endOf, isOver, isPlanned, type Pull, planned, takenBackNow, untilTakenBack } from './ends.ts';
import { look, lookBefore } from './look.ts';
import { strike } from './strike.ts';
import type { Mode, Trial } from './trial.ts';
import type { Ended, Observed } from './verdict.ts';

/** A fault, so many seconds after that began which its mode is about. */
export interface Fault {
  readonly trial: Trial;
  readonly afterSeconds: number;
}

export interface RunResult {
  readonly observed: Observed;
  /** Of each part of a run that was undisturbed so far: `plan`, then `apply` or `rollback`, then `take-back`. */
  readonly seconds: Readonly<Partial<Record<Mode, number>>>;
  /** False: what the fault was to meet had ended before it. */
  readonly met: boolean;
}

/** One pull request from its opening to its end, with one fault on the way if there is one. */
export async function runOnce(
  scene: Scene,
  wanted: Wanted,
  mode: Mode,
  fault: Fault | undefined,
): Promise<RunResult> {
  const { world } = scene;
  const before = await lookBefore(scene, wanted.name);
  const parts = partsOf(scene, fault);
  const opened = await world.open(wanted.name, { 'chaos.yaml': changeOf(wanted, mode) });
  await parts.take(
    'plan',
    () => isPlanned(scene, opened),
    () => planned(scene, opened),
  );
  await world.approve(opened.pull);
  await world.say(opened.pull, '/doaas apply');
  const applying = mode === 'rollback' ? 'rollback' : 'apply';
  const applied = await parts.take(
    applying,
    () => isOver(scene, opened),
    () => endOf(scene, opened),
  );
  const { ended, revert } =
    mode === 'take-back' && applied === 'applied'
      ? await takenBack(scene, opened, parts)
      : { ended: applied, revert: undefined };
  const observed = await look(scene, opened, revert, ended, wanted, before, fault?.trial);
  await trueClock(scene, fault?.trial);
  await tidy(scene, opened, revert, observed.merged);
  return { observed, seconds: parts.seconds, met: parts.met() };
}

/** The parts of a run, timed, one of them under fire. */
interface Parts {
  /** `isOver` is asked just before the fault strikes; `end` waits for the end of the part. */
  readonly take: <T>(part: Mode, isOver: () => Promise<boolean>, end: () => Promise<T>) => Promise<T>;
  readonly seconds: Partial<Record<Mode, number>>;
  readonly met: () => boolean;
}

function partsOf(scene: Scene, fault: Fault | undefined): Parts {
  const seconds: Partial<Record<Mode, number>> = {};
  let met = false;
  return {
    seconds,
    met: () => met,
    take: async (part, isOver, end) => {
      const started = performance.now();
      if (fault?.trial.mode === part) {
        await pause(fault.afterSeconds * 1000);
        met = !(await isOver());
        if (met) await strike(scene, fault.trial);
      }
      const result = await end();
      seconds[part] = (performance.now() - started) / 1000;
      return result;
    },
  };
}

interface TakenBack {
  readonly ended: Ended;
  readonly revert: Pull | undefined;
}

/** Asks for it as a person does, and waits for the answer. */
async function takenBack(scene: Scene, opened: Pull, parts: Parts): Promise<TakenBack> {
  const comment = await scene.world.say(opened.pull, '/doaas rollback');
  const revert = await parts.take(
    'take-back',
    async () => (await takenBackNow(scene, opened, comment)) !== undefined,
    () => untilTakenBack(scene, opened, comment),
  );
  return { ended: revert === undefined ? 'neither' : 'taken-back', revert };
}

/** That the clock is put right is another jump, which the next run is not to meet. */
async function trueClock({ world: { engine }, setClock }: Scene, trial: Trial | undefined): Promise<void> {
  if (trial?.fault !== 'clock-jump') return;
  await engine.stop();
  await setClock(0);
  await engine.start();
}

/** So that the repository says what the hosts are, and nothing waits. */
async function tidy(
  { world }: Scene,
  opened: Pull,
  revert: Pull | undefined,
  merged: boolean,
): Promise<void> {
  if (!merged) await world.github.closePullRequest(world.repo, opened.pull);
  if (revert !== undefined) await world.github.mergeByHand(world.repo, revert.pull);
}
