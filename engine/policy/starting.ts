import type { PolicySpec } from '../spec/types.generated.ts';
import { accountOf, countsAtAll } from './approvals.ts';
import type { Change } from './change.ts';
import type { Verdict } from './judge.ts';
import { isAmong, sayWho, whoMay } from './people.ts';

/** With the trigger `approval`: whose approval begins the apply. They must be among those who may apply, whatever rules ask for. */
export function startersOf(spec: PolicySpec | undefined, change: Change): readonly string[] {
  const who = whoMay(spec, 'apply');
  if (who === 'nobody') return [];
  return change.reviews
    .filter((review) => countsAtAll(review, change))
    .filter((review) => who === undefined || isAmong(who, accountOf(review), change.teams))
    .map(({ reviewer }) => reviewer);
}

/** With the trigger `approval`: what begins it once nothing is missing. Undefined: only the command. */
export function sayStart(
  spec: PolicySpec | undefined,
  { starters = [], asks }: Pick<Verdict, 'starters' | 'asks'>,
): string | undefined {
  const itself = 'it is applied by itself';
  const who = whoMay(spec, 'apply');
  if (starters.length > 0) return itself;
  if (who !== undefined && who !== 'nobody')
    return `${itself} when ${sayWho(who)} has approved it, or says so`;
  return asks.some(({ kind }) => kind === 'approval') ? itself : undefined;
}
