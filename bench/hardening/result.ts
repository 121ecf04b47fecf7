import type { Result } from '../report.ts';

export interface Figures {
  /** Of the host as it is hardened. */
  readonly findings: readonly string[];
  readonly lynisBefore: number;
  readonly lynisAfter: number;
  readonly secondRunChanges: number;
  readonly undoDifferences: number;
  /** Plan and apply of a fresh host. */
  readonly firstSeconds: number;
  /** Plan of one where nothing is to be changed. */
  readonly checkSeconds: number;
}

/** Seconds that dev-sec's published os and ssh roles take on such a host when nothing changes. */
const PEER_CHECK_SECONDS = 74;
const BARS = { applicable: 60, lynis: 79, check: PEER_CHECK_SECONDS / 20 } as const;

/** The score's sentence is the first finding: `strict: P of A controls hold now (...); N not applicable here`. */
export function resultOf(figures: Figures): Result {
  const [, passed, applicable, rest] =
    /(\d+) of (\d+) controls .*; (\d+) not applicable/.exec(figures.findings[0] ?? '')?.map(Number) ?? [];
  if (passed === undefined || applicable === undefined || rest === undefined)
    throw new Error(`the plan said no score: ${figures.findings[0]}`);
  const { lynisBefore, lynisAfter, secondRunChanges, undoDifferences, firstSeconds, checkSeconds } = figures;
  const row = (what: string, value: number, bar?: string, unit?: string) => ({ what, value, bar, unit });
  return {
    rows: [
      row('controls', applicable + rest, '>= 100'),
      row('applicable', applicable, `>= ${BARS.applicable}`),
      row('passed', passed, 'all'),
      row('lynis_before', lynisBefore),
      row('lynis_after', lynisAfter, `>= ${BARS.lynis}`),
      row('second_run_changes', secondRunChanges, '0'),
      row('undo_differences', undoDifferences, '0'),
      row('seconds_per_host', checkSeconds, `<= ${BARS.check}`, 's'),
      row('seconds_first', firstSeconds, undefined, 's'),
    ].map(({ bar, unit, ...rest }) => ({ ...rest, ...(bar ? { bar } : {}), ...(unit ? { unit } : {}) })),
    json: {
      controls: applicable + rest,
      applicable,
      passed,
      lynis_before: lynisBefore,
      lynis_after: lynisAfter,
      second_run_changes: secondRunChanges,
      undo_differences: undoDifferences,
      seconds_per_host: checkSeconds,
      seconds_first: firstSeconds,
    },
    barsMissed: missed(passed, applicable, figures),
  };
}

function missed(passed: number, applicable: number, figures: Figures): readonly string[] {
  const held: readonly (readonly [boolean, string])[] = [
    [passed === applicable, `${applicable - passed} controls that apply do not hold`],
    [applicable >= BARS.applicable, `only ${applicable} controls apply`],
    [figures.lynisAfter >= BARS.lynis, `Lynis says ${figures.lynisAfter}`],
    [figures.secondRunChanges === 0, `a second run has ${figures.secondRunChanges} steps`],
    [figures.undoDifferences === 0, `the undo left ${figures.undoDifferences} differences`],
    [figures.checkSeconds <= BARS.check, `a check took ${figures.checkSeconds} s`],
  ];
  return held.filter(([yes]) => !yes).map(([, words]) => words);
}
