import type { SshWish } from '../control.ts';

/** Seconds of each unit: "TIME FORMATS" of sshd_config(5). */
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A value of sshd is at least as strict as the bound. What is not understood is not. */
export function isWithin(judge: Exclude<SshWish['judge'], 'equal'>, value: string, bound: string): boolean {
  switch (judge) {
    // 0 is "never" for all settings with an upper bound: sshd_config(5)
    case 'at-most':
      return numberOf(value) > 0 && numberOf(value) <= numberOf(bound);
    case 'at-least':
      return numberOf(value) >= numberOf(bound);
    case 'connections':
      return takesNoMore(value, bound);
  }
}

function numberOf(text: string): number {
  const [, number, unit = ''] = /^([0-9]+)([smhdw]?)$/i.exec(text) ?? [];
  return number === undefined ? Number.NaN : Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
}

/** `start:rate:full`; `full` alone: from there on all are refused. */
function takesNoMore(value: string, bound: string): boolean {
  const [start, rate, full] = partsOf(value);
  const [mostStart, leastRate, mostFull] = partsOf(bound);
  return start >= 1 && start <= mostStart && rate >= leastRate && full >= 1 && full <= mostFull;
}

function partsOf(text: string): readonly [number, number, number] {
  const parts = text.split(':').map(numberOf);
  const [start = Number.NaN, rate = 100, full = start] = parts;
  return [start, rate, full];
}
