import type { StoreKind } from '../../test/chaos.ts';
import { randomOf } from '../../test/fuzz/random.ts';

export const FAULTS = {
  'engine-killed': 'SIGKILL of the engine, its Temporal and receiver with it',
  'temporal-killed': 'SIGKILL of the Temporal server',
  'store-killed': 'PostgreSQL crashes; a SQLite store is locked by somebody else',
  'host-rebooted': 'a host loses power and boots',
  'ssh-cut': "a host's cable is pulled",
  'github-5xx': 'GitHub answers 502, partly after it did what was asked',
  'disk-full': 'the disk of a host is full for a while',
  'clock-jump': "the engine's clock jumps by up to two hours",
} as const;

export type FaultName = keyof typeof FAULTS;
/** `rollback`: a probe fails, so all that was applied is taken back. */
export type Mode = 'apply' | 'rollback';

/** One run with one fault, wholly given by its seed and number. */
export interface Trial {
  readonly n: number;
  readonly store: StoreKind;
  readonly mode: Mode;
  readonly fault: FaultName;
  /** When it strikes, as a share of how long an undisturbed run takes. */
  readonly moment: number;
  /** Which host, from 0. */
  readonly host: number;
  /** How hard or how long, 0 to 1. */
  readonly strength: number;
  /** The change installs or removes a package as well. */
  readonly withPackage: boolean;
}

/** Every fault meets both modes and both stores within 32 runs; what is left to chance is when and how hard. */
export function trialOf(seed: number, n: number, hosts: number): Trial {
  const random = randomOf(`${seed} chaos ${n}`);
  const names = Object.keys(FAULTS) as FaultName[];
  return {
    n,
    store: n % 2 === 0 ? 'sqlite' : 'postgres',
    mode: Math.floor(n / 2) % 2 === 0 ? 'apply' : 'rollback',
    fault: names[Math.floor(n / 4) % names.length] ?? 'engine-killed',
    moment: random.int(1000) / 1000,
    host: random.int(hosts),
    strength: random.int(1000) / 1000,
    withPackage: random.chance(0.5),
  };
}
