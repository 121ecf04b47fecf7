import { median, rounded } from '../measure.ts';
import type { Result, Row } from '../report.ts';
import { FAULTS, type FaultName, MODES, type Mode, type Trial } from './trial.ts';
import type { Ended, Verdict } from './verdict.ts';

export interface Tried {
  readonly trial: Trial;
  readonly seconds: number;
  readonly ended: Ended;
  /** Attempts of it that were over before the fault struck; they are no runs. */
  readonly missed: number;
  readonly verdict: Verdict;
}

/** The figures, and the bars that were missed. */
export function resultOf(
  tried: readonly Tried[],
  { seed, wanted }: { readonly seed: number; readonly wanted: number },
): Result {
  const sum = (of: (verdict: Verdict) => readonly string[]): number =>
    tried.reduce((total, { verdict }) => total + of(verdict).length, 0);
  const json = {
    runs: tried.length,
    survived: tried.filter(({ verdict }) => verdict.survived).length,
    duplicated_effects: sum((verdict) => verdict.duplicated),
    lost_effects: sum((verdict) => verdict.lost),
    stale_locks: sum((verdict) => verdict.locks),
    wrong_checks: sum((verdict) => verdict.wrong),
    missed: tried.reduce((total, { missed }) => total + missed, 0),
    seed,
    failed_runs: tried.filter(({ verdict }) => !verdict.survived).map(({ trial }) => trial.n),
  };
  const zeros = [
    ['effects that happened more than once', json.duplicated_effects],
    ['effects that were lost, or left', json.lost_effects],
    ['locks, runs and workflows left', json.stale_locks],
    ['ends, checks and comments not final or not true', json.wrong_checks],
  ] as const;
  return {
    json,
    rows: [
      ...(Object.keys(FAULTS) as FaultName[]).map((fault) =>
        rowOf(
          FAULTS[fault],
          tried.filter(({ trial }) => trial.fault === fault),
        ),
      ),
      ...(Object.keys(MODES) as Mode[]).map((mode) =>
        rowOf(
          `during: ${MODES[mode]}`,
          tried.filter(({ trial }) => trial.mode === mode),
        ),
      ),
      { what: 'faults that came after the end, and were tried again', value: json.missed },
      { what: 'runs that survived', value: `${json.survived} of ${json.runs}`, bar: 'all' },
      ...zeros.map(([what, value]) => ({ what, value, bar: '0' })),
    ],
    barsMissed: [
      ...(json.runs < wanted ? [`only ${json.runs} of ${wanted} runs were run`] : []),
      ...(json.survived < json.runs ? [`${json.runs - json.survived} runs did not survive`] : []),
      ...zeros.filter(([, value]) => value > 0).map(([what, value]) => `${what}: ${value}`),
    ],
  };
}

function rowOf(what: string, tried: readonly Tried[]): Row {
  const survived = tried.filter(({ verdict }) => verdict.survived);
  const applied = survived.filter(({ ended }) => ended === 'applied').length;
  const seconds = survived.length === 0 ? '' : `, ${rounded(median(survived.map((one) => one.seconds)))} s`;
  return {
    what,
    value: `${survived.length} of ${tried.length} (${applied} applied, ${survived.length - applied} put back${seconds})`,
  };
}
