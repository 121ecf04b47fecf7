import { rounded } from '../measure.ts';
import type { Result } from '../report.ts';

export interface Figures {
  readonly hosts: number;
  /** With the fix, after the first rollout. */
  readonly upgraded: number;
  /** Whose service runs the new program. */
  readonly restarted: number;
  /** On which the broken fix was begun. */
  readonly stoppedAt: readonly string[];
  readonly untouched: number;
  /** Begun, and back at the version before. */
  readonly rolledBack: number;
  /** Plan, apply and verify of the good fix on all hosts. */
  readonly seconds: number;
  /** The same of the broken one, until all is as before. */
  readonly secondsStopped: number;
}

export function resultOf(figures: Figures): Result {
  const { hosts, upgraded, restarted, stoppedAt, untouched, rolledBack, seconds, secondsStopped } = figures;
  const row = (what: string, value: number | string, bar?: string, unit?: string) => ({
    what,
    value,
    ...(bar === undefined ? {} : { bar }),
    ...(unit === undefined ? {} : { unit }),
  });
  return {
    rows: [
      row('hosts', hosts),
      row('upgraded in rings', upgraded, `${hosts}`),
      row('their service restarted', restarted, `${hosts}`),
      row('seconds, from the pull request on', rounded(seconds), undefined, 's'),
      row('the broken fix stopped at', stoppedAt.join(' '), 'web-1'),
      row('untouched by it', untouched, `${hosts - 1}`),
      row('rolled back', rolledBack, '1'),
      row('seconds, until all is as before', rounded(secondsStopped), undefined, 's'),
    ],
    json: {
      hosts,
      upgraded,
      restarted,
      stopped_at: stoppedAt.join(' '),
      untouched,
      rolled_back: rolledBack,
      seconds: rounded(seconds),
      seconds_stopped: rounded(secondsStopped),
    },
    barsMissed: missed(figures),
  };
}

function missed(figures: Figures): readonly string[] {
  const { hosts, upgraded, restarted, stoppedAt, untouched, rolledBack } = figures;
  const held: readonly (readonly [boolean, string])[] = [
    [upgraded === hosts, `${upgraded} of ${hosts} hosts have the fix`],
    [restarted === hosts, `the service of ${restarted} of ${hosts} hosts was restarted`],
    [stoppedAt.join() === 'web-1', `the broken fix was begun on ${stoppedAt.join(', ') || 'no host'}`],
    [untouched === hosts - 1, `${untouched} hosts are untouched by it`],
    [rolledBack === 1, `${rolledBack} hosts were rolled back`],
  ];
  return held.filter(([yes]) => !yes).map(([, words]) => words);
}
