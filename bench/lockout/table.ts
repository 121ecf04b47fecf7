import type { Result } from '../report.ts';
import type { Attempt } from './attempts.ts';
import { type Believed, STRIKES, type Strike } from './strikes.ts';

export interface Tried {
  readonly attempt: Attempt;
  readonly believed: Believed;
  readonly lockedOut: boolean;
  /** Paths that are not as before, and units that are left; empty: none. */
  readonly differences: string;
  readonly lateSeconds: number | undefined;
  readonly seconds: number;
}

const WANTED = 50;
const LATE_MAX_SECONDS = 2;

export function resultOf(tried: readonly Tried[]): Result {
  const lockedOut = tried.filter((one) => one.lockedOut);
  const notRestored = tried.filter((one) => one.differences !== '');
  const harmless = tried.filter(({ believed }) => believed.kind === 'confirmed');
  const late = Math.max(0, ...tried.flatMap(({ lateSeconds }) => lateSeconds ?? []));
  const mechanisms = new Set(tried.map(({ attempt }) => attempt.mechanism)).size;
  const of = (strike: Strike) => tried.filter(({ attempt }) => attempt.strike === strike);
  const kept = (all: readonly Tried[]) =>
    all.filter((one) => !one.lockedOut && one.differences === '' && one.believed.kind !== 'confirmed').length;
  return {
    rows: [
      ...(Object.keys(STRIKES) as Strike[]).map((strike) => ({
        what: STRIKES[strike],
        value: `${kept(of(strike))} of ${of(strike).length} taken back, host as before`,
      })),
      { what: 'distinct mechanisms', value: mechanisms, bar: '>= 12' },
      { what: 'latest beginning after its time', value: Number(late.toFixed(2)), unit: 's', bar: '<= 2' },
      { what: 'locked out', value: lockedOut.length, bar: '0' },
      { what: 'not restored', value: notRestored.length, bar: '0' },
    ],
    json: {
      attempts: tried.length,
      locked_out: lockedOut.length,
      not_restored: notRestored.length,
      harmless: harmless.length,
      mechanisms,
      late_seconds_max: Number(late.toFixed(2)),
    },
    barsMissed: [
      ...(tried.length < WANTED ? [`only ${tried.length} of ${WANTED} attempts`] : []),
      ...lockedOut.map(({ attempt }) => `locked out by ${attempt.mechanism} (${attempt.strike})`),
      ...notRestored.map(({ attempt }) => `not restored: ${attempt.mechanism} (${attempt.strike})`),
      ...harmless.map(({ attempt }) => `no lock-out at all: ${attempt.mechanism} (${attempt.strike})`),
      ...(late > LATE_MAX_SECONDS ? [`began ${late.toFixed(2)} s late`] : []),
    ],
  };
}
