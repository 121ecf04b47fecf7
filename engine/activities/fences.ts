import type { Fence } from '../hosts/fence.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { keptOf } from '../store/machine.ts';
import type { Engine } from './engine.ts';
import { identityOf } from './identity.ts';

/**
 * The numbers of a run's locks by host. All of its hosts see them in the reading that follows the grant: one whose
 * turn comes hours later refuses an earlier holder from then on, too.
 */
export async function fencesFor(
  { store }: Pick<Engine, 'store'>,
  run: string,
): Promise<(host: ResolvedHost) => Fence | undefined> {
  const fences = await store.locks.fencesOf(run);
  return ({ server }) => keptOf(fences, identityOf(server));
}
