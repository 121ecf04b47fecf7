import type { LabHost } from '../../lab/hosts.ts';
import { rounded, timed } from '../measure.ts';
import { progress } from '../report.ts';
import { HOSTS, withLab } from './lab.ts';
import { openOurs } from './ours.ts';
import type { Peers } from './peers.ts';

/** Seconds of each run. */
export interface ApplySeconds {
  readonly ours: number[];
  readonly script: number[];
  readonly pyinfra: number[];
  readonly ansible: number[];
}

/** First applies, one tool after the other in every round, each on hosts that have never been touched. */
export async function applyRounds(peers: Peers, runs: number): Promise<ApplySeconds> {
  const ways: Readonly<Record<keyof ApplySeconds, (hosts: readonly LabHost[]) => Promise<number>>> = {
    ours,
    script: async (hosts) => (await timed(() => peers.script(hosts))).seconds,
    pyinfra: async (hosts) => (await peers.pyinfra('apply', hosts)).seconds,
    ansible: async (hosts) => (await peers.ansible('apply', hosts)).seconds,
  };
  const seconds: ApplySeconds = { ours: [], script: [], pyinfra: [], ansible: [] };
  for (let run = 1; run <= runs; run += 1) {
    for (const name of ['ours', 'script', 'pyinfra', 'ansible'] as const) {
      const took = await withLab(HOSTS, (_, hosts) => ways[name](hosts));
      progress(`first apply ${run} of ${runs}: ${name} ${rounded(took)} s`);
      seconds[name].push(took);
    }
  }
  return seconds;
}

async function ours(hosts: readonly LabHost[]): Promise<number> {
  const engine = await openOurs(hosts[0]?.privateKeyPath ?? '');
  try {
    return (await engine.apply(hosts)).seconds;
  } finally {
    await engine.close();
  }
}
