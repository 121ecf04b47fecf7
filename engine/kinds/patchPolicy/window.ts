import { createHash } from 'node:crypto';
import type { PlannedDocument } from '../../spec/documents.ts';
import { durationSeconds } from '../../spec/duration.ts';
import type { Maintenance } from '../../spec/resolution.ts';
import type { PatchWindow, PolicyWindow } from '../../spec/types.generated.ts';
import { WEEK } from '../../spec/week.ts';

/** In its window a document installs what is new by itself; without one it never does. */
export function maintenanceOf({ ref, spec }: PlannedDocument<'PatchPolicy'>): Maintenance | undefined {
  if (spec.window === undefined) return undefined;
  return { window: jittered(spec.window, ref), reboots: spec.reboot === 'ifRequired' };
}

const DAY_MINUTES = 24 * 60;

/** Minutes that a window is open on each of its days, without its jitter. */
export function lengthMinutes({ hours }: PatchWindow): number {
  if (hours === undefined) return DAY_MINUTES;
  const length = minutesOf(hours.to) - minutesOf(hours.from);
  return length > 0 ? length : length + DAY_MINUTES;
}

/**
 * The window that opens later by the document's own part of the jitter: the same every time, as with systemd.timer(5)'s
 * FixedRandomDelaySec, so that people know when; another one for each document.
 */
function jittered({ jitter, ...window }: PatchWindow, ref: string): PolicyWindow {
  if (jitter === undefined) return window;
  const { hours = { from: '00:00', to: '24:00' } } = window;
  const opens = minutesOf(hours.from) + Math.floor((durationSeconds(jitter) / 60) * shareOf(ref));
  // one that opens after midnight then begins on the day after
  const days = opens < DAY_MINUTES ? window.days : window.days?.map(dayAfter);
  return {
    ...window,
    ...(days === undefined ? {} : { days }),
    hours: { ...hours, from: timeOf(opens) },
  };
}

function dayAfter(day: (typeof WEEK)[number]): (typeof WEEK)[number] {
  return WEEK[(WEEK.indexOf(day) + 1) % WEEK.length] ?? day;
}

/** At least 0, below 1. */
function shareOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function timeOf(minutes: number): string {
  const ofDay = minutes % DAY_MINUTES;
  return [Math.floor(ofDay / 60), ofDay % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
