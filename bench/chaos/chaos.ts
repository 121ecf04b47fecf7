import { parseArgs } from 'node:util';
import { bundle } from '../../scripts/bundle.ts';
import { HOSTS } from '../../test/chaos.ts';
import { progress, type Result } from '../report.ts';
import { type Calm, disturbed, openStage, prepare, referenceFor, type Stage } from './stage.ts';
import { resultOf, type Tried } from './table.ts';
import { type Trial, trialOf } from './trial.ts';
import { judge, type Verdict } from './verdict.ts';

const RUNS = 100;
const STORES = ['sqlite', 'postgres'] as const;
/** A run that was faster than the undisturbed one and so over before its fault is tried again. */
const ATTEMPTS = 3;

interface Order {
  readonly runs: number;
  readonly seed: number;
  readonly only: readonly number[] | undefined;
  readonly stores: readonly Trial['store'][];
}

/**
 * Runs with one fault each. A failing one is printed with its seed, and `--seed N --only-run K` repeats it. A signal ends it
 * with the table of what was run so far.
 */
export async function chaos(argv: readonly string[]): Promise<Result> {
  const order = orderOf(argv);
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  await bundle();
  progress(`seed ${order.seed}`);
  const numbers = order.only ?? Array.from({ length: order.runs }, (_, n) => n);
  const trials = order.stores.flatMap((store) =>
    numbers.map((n) => trialOf(order.seed, n, HOSTS)).filter((trial) => trial.store === store),
  );
  const tried = await allOf(trials, order.seed, interrupted.signal);
  return resultOf(tried, { seed: order.seed, wanted: trials.length });
}

function orderOf(argv: readonly string[]): Order {
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
  const only = values['only-run']?.split(',').map(Number);
  const runs = Number(values.runs);
  if (![seed, runs, ...(only ?? [])].every(Number.isSafeInteger))
    throw new Error('--runs, --seed and --only-run (several with commas) take whole numbers');
  const stores = STORES.filter((store) => values.store === undefined || values.store === store);
  if (stores.length === 0) throw new Error(`--store is one of ${STORES.join(', ')}`);
  return { runs, seed, only, stores };
}

/** One scene a store, as long as nothing is left over from a run. What was interrupted is not among them. */
async function allOf(
  trials: readonly Trial[],
  seed: number,
  interrupted: AbortSignal,
): Promise<readonly Tried[]> {
  const calm: Calm = new Map();
  const tried: Tried[] = [];
  const began = performance.now();
  let stage: Stage | undefined;
  const leave = async (): Promise<void> => {
    await stage?.scene.close();
    stage = undefined;
  };
  try {
    for (const trial of trials) {
      if (stage !== undefined && stage.scene.kind !== trial.store) await leave();
      stage ??= await openStage(trial.store, calm);
      const one = await Promise.race([tryOne(stage, trial), aborted(interrupted)]);
      if (one === undefined) break;
      tried.push(one);
      tell(one, seed);
      tellProgress(tried.length, trials.length, (performance.now() - began) / 1000);
      if (!one.verdict.survived) await leave();
    }
    return tried;
  } finally {
    await leave();
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

async function tryOne(stage: Stage, trial: Trial): Promise<Tried> {
  const began = performance.now();
  const tried = (ended: Tried['ended'], missed: number, verdict: Verdict): Tried => {
    return { trial, seconds: (performance.now() - began) / 1000, ended, missed, verdict };
  };
  let missed = 0;
  try {
    for (;;) {
      await prepare(stage, trial);
      const { wanted, result } = await disturbed(stage, trial, missed + 1);
      const { observed } = result;
      const reference = referenceFor(stage, trial, observed.ended);
      if (reference === undefined) throw new Error(`a ${trial.mode} ended as ${observed.ended}`);
      const verdict = judge(trial, wanted, observed, reference);
      if (result.met || !verdict.survived) return tried(observed.ended, missed, verdict);
      missed += 1;
      if (missed === ATTEMPTS) return tried(observed.ended, missed, wrong('no fault struck in time'));
    }
  } catch (error) {
    return tried('neither', missed, wrong(error instanceof Error ? error.message : String(error)));
  }
}

function wrong(what: string): Verdict {
  return { survived: false, duplicated: [], lost: [], locks: [], wrong: [what] };
}

function tell({ trial, ended, seconds, verdict }: Tried, seed: number): void {
  const problems = [...verdict.duplicated, ...verdict.lost, ...verdict.locks, ...verdict.wrong];
  progress(
    `run ${trial.n}: ${ended} after ${seconds.toFixed(0)} s${verdict.survived ? '' : `; NOT SURVIVED:\n  ${problems.join('\n  ')}\n  again: npm run -s bench -- chaos --seed ${seed} --only-run ${trial.n}`}`,
  );
}

function tellProgress(done: number, all: number, seconds: number): void {
  const each = seconds / done;
  progress(
    `${done} of ${all}, ${each.toFixed(0)} s each, ${Math.ceil(((all - done) * each) / 60)} min to go`,
  );
}
