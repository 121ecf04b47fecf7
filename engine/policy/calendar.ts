import type { PolicyWindow } from '../spec/types.generated.ts';

type Day = NonNullable<PolicyWindow['days']>[number];

const DAYS: readonly Day[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** How far the next opening is looked for. Days. */
const DAYS_AHEAD = 400;
/** Where clocks were set forward, a window opens within a step of this; every zone's changes are multiples of it. Minutes. */
const STEP_MINUTES = 15;
/** Openings of several windows that are tried for one that suits all. */
const OPENINGS_MAX = 1_000;

/** `at`: epoch ms. */
export function isOpen(window: PolicyWindow, at: number): boolean {
  return openAt(window, localClock(window.timeZone)(at));
}

/** The freeze that a moment falls into. */
export function freezeAt({ timeZone, freeze = [] }: PolicyWindow, at: number) {
  const { date } = localClock(timeZone)(at);
  return freeze.find(({ from, to }) => from <= date && date <= to);
}

/**
 * Whether the window is open at both moments, and opened once for them: on the same day, the one that a window through midnight began
 * on. One that is open all day is another one each day. Epoch ms.
 */
export function isSameOpening(window: PolicyWindow, one: number, other: number): boolean {
  const clock = localClock(window.timeZone);
  const [first, second] = [clock(one), clock(other)];
  return (
    openAt(window, first) && openAt(window, second) && openedOn(window, first) === openedOn(window, second)
  );
}

/** The first moment from `at` on in which all are open, epoch ms; undefined where there is none within 400 days. */
export function opensAt(windows: readonly PolicyWindow[], at: number): number | undefined {
  const clocks = windows.map((window) => ({ window, clock: localClock(window.timeZone) }));
  let now = at;
  for (let tries = 0; tries < OPENINGS_MAX; tries += 1) {
    const closed = clocks.find(({ window, clock }) => !openAt(window, clock(now)));
    if (closed === undefined) return now;
    const next = nextOpening(closed.window, closed.clock, now);
    if (next === undefined || next - at > DAYS_AHEAD * DAY_MINUTES * MINUTE_MS) return undefined;
    now = next;
  }
  return undefined;
}

interface Local {
  /** `YYYY-MM-DD` */
  readonly date: string;
  readonly minutes: number;
  /** Local time read as if it were UTC, epoch ms. */
  readonly asUtc: number;
}

type Clock = (at: number) => Local;

function localClock(timeZone: string): Clock {
  const format = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
    const minutes = part('hour') * 60 + part('minute');
    const midnight = Date.UTC(part('year'), part('month') - 1, part('day'));
    return { date: isoDate(midnight), minutes, asUtc: midnight + minutes * MINUTE_MS };
  };
}

function isoDate(utcMidnight: number): string {
  return new Date(utcMidnight).toISOString().slice(0, 10);
}

function weekday(date: string): Day {
  return DAYS[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? 'sun';
}

function addDays(date: string, days: number): string {
  return isoDate(Date.parse(`${date}T00:00:00Z`) + days * DAY_MINUTES * MINUTE_MS);
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function bounds({ hours }: PolicyWindow): { readonly from: number; readonly to: number } {
  return hours === undefined
    ? { from: 0, to: DAY_MINUTES }
    : { from: minutesOf(hours.from), to: minutesOf(hours.to) };
}

function openAt(window: PolicyWindow, { date, minutes }: Local): boolean {
  if ((window.freeze ?? []).some(({ from, to }) => from <= date && date <= to)) return false;
  const { from, to } = bounds(window);
  const may = (day: string): boolean => window.days === undefined || window.days.includes(weekday(day));
  if (from < to) return may(date) && from <= minutes && minutes < to;
  // through midnight: the day is the one it began on
  return (minutes >= from && may(date)) || (minutes < to && may(addDays(date, -1)));
}

function openedOn(window: PolicyWindow, { date, minutes }: Local): string {
  const { from, to } = bounds(window);
  return from >= to && minutes < to ? addDays(date, -1) : date;
}

/** Windows open at their first minute, or at midnight when a freeze ends or the day before was not one of theirs. */
function nextOpening(window: PolicyWindow, clock: Clock, at: number): number | undefined {
  const { from } = bounds(window);
  const today = clock(at).date;
  for (let days = 0; days <= DAYS_AHEAD; days += 1) {
    const date = addDays(today, days);
    const moments = [0, from].flatMap((minutes) => instantsOf(clock, date, minutes));
    const found = moments
      .sort((a, b) => a - b)
      .find((moment) => moment > at && openAt(window, clock(moment)));
    if (found !== undefined) return earliest(window, clock, at, found);
  }
  return undefined;
}

/** A local time as epoch ms; two where the clock's offset changes about then. */
function instantsOf(clock: Clock, date: string, minutes: number): readonly number[] {
  const wanted = Date.parse(`${date}T00:00:00Z`) + minutes * MINUTE_MS;
  const offset = (at: number): number => clock(at).asUtc - at;
  const first = wanted - offset(wanted);
  return [...new Set([first, wanted - offset(first)])];
}

/** A local time that clocks skipped is found late; the window opened when they went on. */
function earliest(window: PolicyWindow, clock: Clock, at: number, found: number): number {
  const step = STEP_MINUTES * MINUTE_MS;
  let moment = found;
  for (let back = 0; back < 8 && moment - step > at && openAt(window, clock(moment - step)); back += 1)
    moment -= step;
  return moment;
}
