import { parseArgs } from 'node:util';
import { bundle } from '../../scripts/bundle.ts';
import { rounded } from '../measure.ts';
import { progress, type Result } from '../report.ts';
import { type Flood, flood, type Size } from './flood.ts';

/** What is promised. Fewer are a try. */
const PULLS = 500;
const HOSTS = 5;
const MINUTES = 60;
const RSS_BAR_MB = 512;

/**
 * Many pull requests opened at once on few servers; then all approved, and all asked to be applied, at once. A signal takes
 * down what was started, without a table.
 */
export async function pulls(argv: readonly string[]): Promise<Result> {
  const size = sizeOf(argv);
  const interrupted = new AbortController();
  const stop = (): void => {
    progress('interrupted: taking down what was started; once more ends it at once and leaves the lab hosts');
    interrupted.abort(new Error('interrupted'));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  await bundle();
  if (size.pulls < PULLS) progress(`a try: what is promised is said of ${PULLS}`);
  return resultOf(await flood(size, interrupted.signal), size);
}

/** Throws for what is no number of anything. */
export function sizeOf(argv: readonly string[]): Size {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      pulls: { type: 'string', default: String(PULLS) },
      hosts: { type: 'string', default: String(HOSTS) },
      minutes: { type: 'string', default: String(MINUTES) },
    },
  });
  const number = (name: 'pulls' | 'hosts' | 'minutes'): number => {
    const value = Number(values[name]);
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new Error(`--${name} takes a whole number above 0, but got "${values[name]}"`);
  };
  return { pulls: number('pulls'), hosts: number('hosts'), minutes: number('minutes') };
}

/** All came to their end, each effect once, and the engine stayed within its memory. */
export function missedBars(found: {
  readonly pulls: number;
  readonly planned: number;
  readonly merged: number;
  readonly effects: number;
  readonly locks_left: number;
  readonly rss_peak_mb: number;
}): readonly string[] {
  const all = (['planned', 'merged', 'effects'] as const).flatMap((what) =>
    found[what] === found.pulls ? [] : [`${what} ${found[what]} of ${found.pulls}`],
  );
  return [
    ...all,
    ...(found.locks_left === 0 ? [] : [`locks left: ${found.locks_left}`]),
    // a figure that could not be read holds no bar
    ...(found.rss_peak_mb <= RSS_BAR_MB
      ? []
      : [`the engine needed ${found.rss_peak_mb} MB, bar ${RSS_BAR_MB}`]),
  ];
}

function resultOf(found: Flood, size: Size): Result {
  const json = {
    pulls: size.pulls,
    hosts: size.hosts,
    whole: size.pulls >= PULLS,
    refused: found.refused,
    planned: found.planned,
    merged: found.merged,
    effects: found.effects,
    runs: found.runs,
    locks_left: found.locksLeft,
    planned_s: rounded(found.plannedSeconds),
    merged_s: rounded(found.mergedSeconds),
    rss_idle_mb: rounded(found.idle.rss),
    rss_planning_mb: rounded(found.planning.rss),
    rss_peak_mb: rounded(found.engine.peak),
    rss_mb: rounded(found.engine.rss),
    files_idle: found.idle.files,
    files_peak: found.all.files,
    processes_peak: found.all.processes,
    temporal_rss_peak_mb: rounded(found.temporal.peak),
    load_average: rounded(found.load),
  };
  return {
    json,
    barsMissed: missedBars(json),
    rows: [
      { what: `pull requests opened at once, on ${size.hosts} servers`, value: size.pulls },
      { what: 'webhooks of them refused with 503, made up for by the sweep', value: json.refused },
      { what: 'planned', value: json.planned, bar: `${size.pulls}` },
      { what: '  until all were', value: json.planned_s, unit: 's' },
      {
        what: 'merged, after all were approved and asked for at once',
        value: json.merged,
        bar: `${size.pulls}`,
      },
      { what: '  until all were', value: json.merged_s, unit: 's' },
      { what: 'effects on the servers', value: json.effects, bar: `${size.pulls}` },
      { what: 'runs that it took', value: json.runs },
      { what: 'locks left', value: json.locks_left, bar: '0' },
      { what: 'engine at its peak', value: json.rss_peak_mb, unit: 'MB', bar: `<= ${RSS_BAR_MB}` },
      { what: '  before the first pull request', value: json.rss_idle_mb, unit: 'MB' },
      { what: '  until all were planned', value: json.rss_planning_mb, unit: 'MB' },
      { what: '  at the end', value: json.rss_mb, unit: 'MB' },
      { what: 'its open files at most', value: json.files_peak },
      { what: '  before the first pull request', value: json.files_idle },
      { what: 'its own processes at most, such as git', value: json.processes_peak },
      {
        what: 'its Temporal dev server at its peak, beside it',
        value: json.temporal_rss_peak_mb,
        unit: 'MB',
      },
      { what: 'load average of the machine at the end', value: json.load_average },
    ],
  };
}
