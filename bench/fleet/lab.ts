import { type Lab, type LabHost, openLab } from '../../lab/hosts.ts';
import { rounded, timed } from '../measure.ts';
import { progress } from '../report.ts';

/** Size of the fleet that the bars speak of. */
export const HOSTS = 10;

/** Python on the hosts is for Ansible and pyinfra; the engine does not need it. */
export const BASE = { base: 'python' } as const;

export async function withLab<T>(
  count: number,
  work: (lab: Lab, hosts: readonly LabHost[]) => Promise<T>,
): Promise<T> {
  const lab = await openLab({ progress: () => undefined });
  try {
    const { seconds, result } = await timed(() => lab.up(count, BASE));
    progress(`${count} fresh hosts in ${rounded(seconds)} s`);
    return await work(lab, result);
  } finally {
    await lab.down();
  }
}
