import { parseArgs } from 'node:util';
import { bundle } from '../../scripts/bundle.ts';
import { HOSTS, openScene, type Scene } from '../../test/chaos.ts';
import { median, rounded } from '../measure.ts';
import { progress, type Result } from '../report.ts';
import { changeOf } from './change.ts';
import { type RunResult, runOnce } from './run.ts';
import { FAULTS, type FaultName, type Mode, type Trial, trialOf } from './trial.ts';
import { type Effects, judge, type Reference, type Verdict } from './verdict.ts';

const RUNS = 100;
const STORES = ['sqlite', 'postgres'] as const;
const START = { name: 'start', packaged: false };

interface Tried {
  readonly trial: Trial;
  readonly seconds: number;
  readonly ended: string;
  readonly verdict: Verdict;
}

/** A scene with what undisturbed runs in it did, and what its repository says now. */
interface Stage {
  readonly scene: Scene;
  readonly reference: Reference;
  readonly seconds: Readonly<Record<Mode, number>>;
  packaged: boolean;
}

/** Runs with one fault each. A failing one is printed with its seed, and `--seed N --only-run K` repeats it. */
export async function chaos(argv: readonly string[]): Promise<Result> {
  const { runs, seed, only, stores } = orderOf(argv);
  await bundle();
  progress(`seed ${seed}`);
  const numbers = only === undefined ? Array.from({ length: runs }, (_, n) => n) : [only];
  const trials = numbers.map((n) => trialOf(seed, n, HOSTS));
  const tried: Tried[] = [];
  for (const store of stores) {
    const mine = trials.filter((trial) => trial.store === store);
    tried.push(...(await allOf(mine, seed)));
  }
  return resultOf(tried, seed);
}

function orderOf(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      runs: { type: 'string', default: String(RUNS) },
      seed: { type: 'string' },
      'only-run': { type: 'string' },
      store: { type: 'string' },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Date.now() / 1000));
  const only = values['only-run'] === undefined ? undefined : Number(values['only-run']);
  const runs = Number(values.runs);
  if (![seed, runs, only ?? 0].every(Number.isSafeInteger))
    throw new Error('--runs, --seed and --only-run take whole numbers');
  const stores = STORES.filter((store) => values.store === undefined || values.store === store);
  if (stores.length === 0) throw new Error(`--store is one of ${STORES.join(', ')}`);
  return { runs, seed, only, stores };
}

/** All of one store, in one scene as long as nothing is left over from a run. */
async function allOf(trials: readonly Trial[], seed: number): Promise<readonly Tried[]> {
  const tried: Tried[] = [];
  let stage: Stage | undefined;
  try {
    for (const trial of trials) {
      stage ??= await openStage(trial.store);
      const one = await tryOne(stage, trial);
      tried.push(one);
      tell(one, seed);
      if (one.verdict.survived) continue;
      await stage.scene.close();
      stage = undefined;
    }
    return tried;
  } finally {
    await stage?.scene.close();
  }
}

async function tryOne(stage: Stage, trial: Trial): Promise<Tried> {
  const wanted = { name: `run-${trial.n}`, packaged: trial.withPackage !== stage.packaged };
  const afterSeconds = trial.moment * stage.seconds[trial.mode];
  progress(
    `run ${trial.n}: ${trial.fault}, ${trial.mode}, ${trial.store}, after ${afterSeconds.toFixed(1)} s, host ${trial.host + 1}`,
  );
  try {
    const { observed, seconds } = await runOnce(stage.scene, wanted, trial.mode, { trial, afterSeconds });
    if (observed.merged) stage.packaged = wanted.packaged;
    const verdict = judge(trial, wanted, observed, stage.reference);
    return { trial, seconds, ended: observed.ended, verdict };
  } catch (error) {
    const wrong = [error instanceof Error ? error.message : String(error)];
    const verdict = { survived: false, duplicated: [], lost: [], locks: [], wrong };
    return { trial, seconds: Number.NaN, ended: 'neither', verdict };
  }
}

/** Undisturbed runs say how long one takes, what it changes and how often. */
async function openStage(store: Trial['store']): Promise<Stage> {
  const scene = await openScene(store, { 'chaos.yaml': changeOf(START, 'apply') }, progress);
  try {
    const install = await calm(scene, { name: 'first', packaged: true }, 'apply');
    const remove = await calm(scene, { name: 'second', packaged: false }, 'apply');
    const back = await calm(scene, { name: 'third', packaged: true }, 'rollback');
    const paths = [install, remove].flatMap(({ observed }) =>
      observed.hosts.flatMap(({ differing }) => differing),
    );
    const reference = { paths: new Set(paths), applied: effectsOf(install), rolledBack: effectsOf(back) };
    progress(
      `undisturbed: an apply takes ${install.seconds.toFixed(1)} s, a rollback ${back.seconds.toFixed(1)} s`,
    );
    return { scene, reference, seconds: { apply: remove.seconds, rollback: back.seconds }, packaged: false };
  } catch (error) {
    await scene.close();
    throw error;
  }
}

async function calm(
  scene: Scene,
  wanted: { name: string; packaged: boolean },
  mode: Mode,
): Promise<RunResult> {
  const result = await runOnce(scene, wanted, mode, undefined);
  const { ended, checks } = result.observed;
  if (ended !== (mode === 'apply' ? 'applied' : 'rolled-back'))
    throw new Error(
      `an undisturbed ${mode} ended as ${ended}: ${checks.map(({ name, title }) => `${name} ${title}`).join('; ')}`,
    );
  return result;
}

function effectsOf({ observed: { hosts } }: RunResult): Effects {
  const most = (of: (host: (typeof hosts)[number]) => number): number => Math.max(...hosts.map(of));
  return {
    starts: most(({ before, after }) => after.starts - before.starts),
    transactions: most(({ before, after }) => after.transactions - before.transactions),
  };
}

function tell({ trial, ended, seconds, verdict }: Tried, seed: number): void {
  const problems = [...verdict.duplicated, ...verdict.lost, ...verdict.locks, ...verdict.wrong];
  progress(
    `run ${trial.n}: ${ended} after ${seconds.toFixed(0)} s${verdict.survived ? '' : `; NOT SURVIVED:\n  ${problems.join('\n  ')}\n  again: npm run -s bench -- chaos --seed ${seed} --only-run ${trial.n}`}`,
  );
}

function resultOf(tried: readonly Tried[], seed: number): Result {
  const sum = (of: (verdict: Verdict) => readonly string[]): number =>
    tried.reduce((total, { verdict }) => total + of(verdict).length, 0);
  const json = {
    runs: tried.length,
    survived: tried.filter(({ verdict }) => verdict.survived).length,
    duplicated_effects: sum((verdict) => verdict.duplicated),
    lost_effects: sum((verdict) => verdict.lost),
    stale_locks: sum((verdict) => verdict.locks),
    wrong_checks: sum((verdict) => verdict.wrong),
    seed,
    failed_runs: tried.filter(({ verdict }) => !verdict.survived).map(({ trial }) => trial.n),
  };
  return {
    json,
    rows: [
      ...(Object.keys(FAULTS) as FaultName[]).map((fault) =>
        rowOf(
          fault,
          tried.filter(({ trial }) => trial.fault === fault),
        ),
      ),
      { what: 'runs that survived', value: `${json.survived} of ${json.runs}`, bar: 'all' },
      { what: 'effects that happened more than once', value: json.duplicated_effects, bar: '0' },
      { what: 'effects that were lost, or left', value: json.lost_effects, bar: '0' },
      { what: 'locks left', value: json.stale_locks, bar: '0' },
      { what: 'checks not final or not true', value: json.wrong_checks, bar: '0' },
    ],
  };
}

function rowOf(fault: FaultName, tried: readonly Tried[]) {
  const survived = tried.filter(({ verdict }) => verdict.survived);
  const applied = survived.filter(({ ended }) => ended === 'applied').length;
  const seconds = survived.length === 0 ? '' : `, ${rounded(median(survived.map((one) => one.seconds)))} s`;
  return {
    what: FAULTS[fault],
    value: `${survived.length} of ${tried.length} (${applied} applied, ${survived.length - applied} put back${seconds})`,
  };
}
