import type { PolicyWindow } from '../types.generated.ts';

/** What the schema cannot say of a window: places below it, with what is wrong there. */
export function windowErrors({
  timeZone,
  hours,
  freeze = [],
}: PolicyWindow): readonly (readonly [string, string])[] {
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
