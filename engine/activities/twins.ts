import type { Finding } from '../plan/step.ts';
import type { ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import { isSameMachine } from '../store/machine.ts';
import { identityOf } from './identity.ts';

/**
 * Pure. What forbids a plan in which one machine stands under two names: two batches would change it at once. Pinned keys
 * are compared while validating; a key that was only seen is known when the machine has been met.
 */
export function twinFindings(
  { name, server }: ResolvedHost,
  all: readonly ResolvedHost[],
): readonly Finding[] {
  return all.flatMap((other) => {
    if (other.name === name || !isTwin(server, other.server)) return [];
    const message = `${name} shows the same host key as ${other.name}. If it is one machine, declare it once; if one was cloned from the other, give one of them host keys of its own`;
    return [{ kind: 'finding', severity: 'error', host: name, document: `Server/${name}`, message }];
  });
}

function isTwin(one: ResolvedServer, other: ResolvedServer): boolean {
  if (one.hostKeys.length === 0 || other.hostKeys.length === 0) return false;
  return isSameMachine(identityOf(one), identityOf(other));
}
