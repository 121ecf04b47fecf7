import type { StoreKind } from '../../test/chaos.ts';
import { randomOf } from '../../test/fuzz/random.ts';

export const FAULTS = {
  'engine-killed': 'SIGKILL of the engine, its Temporal and receiver with it',
  'temporal-killed': 'SIGKILL of the Temporal server',
  'store-killed':
    'PostgreSQL crashes; SQLite, which cannot die without its engine, is locked by somebody else',
  'host-rebooted': 'a host loses power and boots',
  'ssh-cut': "a host's cable is pulled",
  'github-5xx': 'GitHub answers 502, partly after it did what was asked',
  'disk-full': 'the disk of a host is full for a while',
  'clock-jump': "the engine's clock jumps by up to two hours",
} as const;

export type FaultName = keyof typeof FAULTS;

/** What is under way when the fault strikes. */
export const MODES = {
  plan: 'from the opening of the pull request to its plan',
  apply: 'from `/doaas apply` to the merge',
  rollback: 'the same with a probe that fails, so that all that was applied is taken back',
  'take-back': '`/doaas rollback` of what was merged',
} as const;

export type Mode = keyof typeof MODES;
/** Of the package. */
export type PackageChange = 'install' | 'remove';

/** One run with one fault, wholly given by its seed and number. */
export interface Trial {
  readonly n: number;
  readonly store: StoreKind;
  readonly mode: Mode;
  /** It begins where the package is not as this leaves it. */
  readonly change: PackageChange;
  readonly fault: FaultName;
  /** When it strikes, as a share of how long an undisturbed run takes. */
  readonly moment: number;
  /** Which host, from 0. */
  readonly host: number;
  /** How hard or how long, 0 to 1. */
  readonly strength: number;
}

/** Whether host `n` lost power in this run. */
export function losesPower(trial: Pick<Trial, 'fault' | 'host'> | undefined, n: number): boolean {
  return trial?.fault === 'host-rebooted' && trial.host === n;
}

/** Each mode with both changes, in an order in which each run mostly ends where the next one begins. */
const ROUND: readonly (readonly [Mode, PackageChange])[] = [
  ['apply', 'install'],
  ['rollback', 'remove'],
  ['plan', 'remove'],
  ['take-back', 'install'],
  ['plan', 'install'],
  ['take-back', 'remove'],
  ['apply', 'remove'],
  ['rollback', 'install'],
];

/** Every fault meets all modes on both stores within 64 runs, and both changes within 128; what is left to chance is when, where and how hard. */
export function trialOf(seed: number, n: number, hosts: number): Trial {
  const random = randomOf(`${seed} chaos ${n}`);
  const k = Math.floor(n / 2);
  const round = Math.floor(k / ROUND.length);
  const [mode, change] = ROUND[k % ROUND.length] ?? (['apply', 'install'] as const);
  return {
    n,
    store: n % 2 === 0 ? 'sqlite' : 'postgres',
    mode,
    change,
    fault: faultOf(round, mode, change),
    moment: random.int(1000) / 1000,
    host: random.int(hosts),
    strength: random.int(1000) / 1000,
  };
}

/** Each mode meets two faults a round, one with each change; after all eight the changes swap. */
function faultOf(round: number, mode: Mode, change: PackageChange): FaultName {
  const names = Object.keys(FAULTS) as FaultName[];
  const swapped = Math.floor((2 * round) / names.length) % 2 === 1;
  const second = (change === 'remove') !== swapped;
  const shift = Object.keys(MODES).indexOf(mode);
  return names[(2 * (round + shift) + (second ? 1 : 0)) % names.length] ?? 'engine-killed';
}
