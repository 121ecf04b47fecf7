import type { PolicyWindow } from '../types.generated.ts';
import { frozenIn, lengthDays } from './frozen.ts';

/** Longest stretch of freezes: one that is over a year is a window that never opens. Days. */
const FREEZE_DAYS_MAX = 366;

/** A place below the window, with what is wrong there. */
type WindowError = readonly [string, string];

/** What the schema cannot say of a window. `instead`: what to do about one that never opens. */
export function windowErrors(window: PolicyWindow, instead: string): readonly WindowError[] {
  const wrong = valueErrors(window);
  return wrong.length > 0 ? wrong : frozenErrors(window, instead);
}

function frozenErrors(window: PolicyWindow, instead: string): readonly WindowError[] {
  return frozenIn(window)
    .filter((stretch) => lengthDays(stretch) > FREEZE_DAYS_MAX)
    .map(({ from, to, at }) => [
      `/freeze/${at}`,
      `From ${from} to ${to} the window would not open for more than a year; ${instead}.`,
    ]);
}

function valueErrors({ timeZone, hours, freeze = [] }: PolicyWindow): readonly WindowError[] {
  return [
    ...(isTimeZone(timeZone)
      ? []
      : [
          [
            '/timeZone',
            `There is no time zone ${JSON.stringify(timeZone)}; write one such as Europe/Berlin.`,
          ] as const,
        ]),
    ...(hours === undefined || (hours.from !== hours.to && hours.from !== '24:00')
      ? []
      : [['/hours', 'These hours are empty; leave them out for the whole day.'] as const]),
    ...freeze.flatMap(({ from, to }, i) => [
      ...[from, to]
        .filter((date) => !isDate(date))
        .map((date) => [`/freeze/${i}`, `There is no ${date}.`] as const),
      ...(from > to
        ? [[`/freeze/${i}`, `This freeze ends on ${to}, before it begins on ${from}.`] as const]
        : []),
    ]),
  ];
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The 31st of February matches the schema's pattern. */
function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
