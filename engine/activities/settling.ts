import { returnable, type Settled, settledAfter, wantedItems } from '../plan/settled.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { SettledHost } from '../store/settled.ts';
import type { Engine } from './engine.ts';
import { identityOf } from './identity.ts';
import type { HostPlanning } from './planning.ts';

/**
 * Keeps what a reading found in force as the branch says. `probed`: by a run that was approved and whose probes have
 * passed. `readAt`: epoch ms before the reading.
 */
export async function keepSettled(
  engine: Pick<Engine, 'store'>,
  repository: string,
  hosts: readonly ResolvedHost[],
  plannings: readonly HostPlanning[],
  { probed, readAt }: { readonly probed: boolean; readonly readAt: number },
): Promise<void> {
  const before = await engine.store.settled.of(
    repository,
    hosts.map(({ server }) => identityOf(server)),
  );
  const rows = hosts.flatMap((host): readonly SettledHost[] => {
    const planning = plannings.find((each) => each.kind === 'planned' && each.plan.host === host.name);
    if (planning?.kind !== 'planned') return [];
    const identity = identityOf(host.server);
    const known: Settled = before.get(identity)?.items ?? {};
    const wanted = wantedItems(host, planning.seals);
    const items = settledAfter(known, wanted, planning.plan, probed);
    return [{ identity, items, returnable: returnable(known, wanted, planning.plan) }];
  });
  await engine.store.settled.save(repository, rows, readAt);
}
