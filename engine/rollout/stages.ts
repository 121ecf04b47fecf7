import { apart, type Membership } from './apart.ts';
import type { Rules } from './strictest.ts';

/** Hosts that are changed together, and what must follow before the next ones. */
export interface Stage {
  /** Wave of `dependsOn` whose steps are done. */
  readonly wave: number;
  readonly hosts: readonly string[];
  readonly canary: boolean;
  /** Probes must pass and a plan be empty before the next stage. The last stage is verified by the end of the run. */
  readonly verify: boolean;
  /** After that. */
  readonly pauseSeconds: number;
}

export interface WaveHosts {
  readonly wave: number;
  /** In the order in which they are to be changed. */
  readonly hosts: readonly string[];
}

/** Every host of every wave once, wave after wave, cut by the rules; never two members of a unit in one stage. */
export function stagesOf(
  waves: readonly WaveHosts[],
  rules: Rules,
  unitsOf: Membership = () => [],
): readonly Stage[] {
  const cut = waves.flatMap(({ wave, hosts }) =>
    batchesOf(hosts, rules, unitsOf).map((batch, i) => ({
      wave,
      hosts: batch,
      canary: i === 0 && rules.canary > 0 && batch.length < hosts.length,
    })),
  );
  return cut.map((stage, i) => {
    const last = i === cut.length - 1;
    return { ...stage, verify: !last, pauseSeconds: last ? 0 : rules.pauseSeconds };
  });
}

/** One stage a wave, without proof between them: for one host, which cannot go first for others. */
export function atOnce(waves: readonly WaveHosts[]): readonly Stage[] {
  return waves.map(({ wave, hosts }) => ({ wave, hosts, canary: false, verify: false, pauseSeconds: 0 }));
}

function batchesOf(
  hosts: readonly string[],
  rules: Rules,
  unitsOf: Membership,
): readonly (readonly string[])[] {
  const sizes = rules.canary > 0 ? [rules.canary, ...rules.batches] : rules.batches;
  const batches: (readonly string[])[] = [];
  for (let left = hosts; left.length > 0; ) {
    const size = sizes[Math.min(batches.length, sizes.length - 1)] ?? hosts.length;
    const { batch, rest } = apart(left, Math.max(1, Math.min(size, rules.maxUnavailable ?? size)), unitsOf);
    batches.push(batch);
    left = rest;
  }
  return batches;
}
