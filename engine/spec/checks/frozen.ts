import type { PolicyWindow } from '../types.generated.ts';
import { WEEK } from '../week.ts';

type Freeze = NonNullable<PolicyWindow['freeze']>[number];

export interface Frozen {
  /** Days, both of them shut. */
  readonly from: string;
  readonly to: string;
  /** Of the freeze that ends last, in its list. */
  readonly at: number;
}

const DAY_MS = 24 * 3600 * 1000;

/** Stretches over which the window does not open: freezes are one where it has no day between them. */
export function frozenIn(window: PolicyWindow): readonly Frozen[] {
  const opensOn = openDays(window);
  const ordered = (window.freeze ?? [])
    .map(({ from, to }: Freeze, at): Frozen => ({ from, to, at }))
    .sort((a, b) => a.from.localeCompare(b.from));
  const stretches: Frozen[] = [];
  for (const next of ordered) {
    const last = stretches.at(-1);
    if (last === undefined || opensBetween(last.to, next.from, opensOn)) stretches.push(next);
    else if (next.to > last.to) stretches.splice(-1, 1, { ...next, from: last.from });
  }
  return stretches;
}

export function lengthDays({ from, to }: Frozen): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS;
}

/** One that is open through midnight is open on the day after, too. */
function openDays({ days = [...WEEK], hours }: PolicyWindow): ReadonlySet<number> {
  const through = hours !== undefined && hours.to < hours.from && hours.to !== '00:00';
  const numbers = days.map((day) => WEEK.indexOf(day));
  return new Set(through ? numbers.flatMap((day) => [day, (day + 1) % WEEK.length]) : numbers);
}

/** Within a week every weekday comes. */
function opensBetween(shut: string, shutAgain: string, opensOn: ReadonlySet<number>): boolean {
  return WEEK.some((_, i) => {
    const day = Date.parse(shut) + (i + 1) * DAY_MS;
    // Date counts from Sunday, the week here from Monday
    return day < Date.parse(shutAgain) && opensOn.has((new Date(day).getUTCDay() + 6) % WEEK.length);
  });
}
