import type { ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import { isSameMachine } from '../store/machine.ts';
import { identityOf } from './identity.ts';

/**
 * Pure. How a machine that was changed long ago is reached by now: as the branch says it, which may have moved it since. Undefined where
 * the name stands for another machine. `now`: of the branch.
 */
export function serverNow(then: ResolvedServer, now: readonly ResolvedHost[]): ResolvedServer | undefined {
  const named = now.find(({ name }) => name === then.name)?.server;
  // it shows the key of then, or nobody logs in
  if (named?.hostKeys.length === 0) return { ...named, hostKeys: then.hostKeys };
  const identity = identityOf(then);
  const isIt = (server: ResolvedServer): boolean => isSameMachine(identityOf(server), identity);
  if (named !== undefined && isIt(named)) return named;
  const renamed = now.find(({ server }) => isIt(server))?.server;
  return renamed ?? (named === undefined ? then : undefined);
}
