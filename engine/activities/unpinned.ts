import { getPull } from '../github/pulls.ts';
import type { SpecError } from '../spec/manifest.ts';
import type { Resolution, ResolvedServer } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { printOf } from './firstUse.ts';
import { holdingPolicy } from './policy.ts';
import type { ResolvedRevision } from './revisions.ts';
import { addressOf } from './seenKeys.ts';
import type { PullRef } from './types.ts';

type Resolved = Extract<ResolvedRevision, { kind: 'resolved' }>;

/**
 * Servers without a pinned key are mistakes, unless the policy of the default branch allows first use. It never does for
 * a server that is pinned already, whatever name or address a pull request gives it.
 */
export async function unpinnedErrors(
  engine: Engine,
  pull: PullRef,
  resolved: Resolved,
): Promise<readonly SpecError[]> {
  if (resolved.unpinned.length === 0) return [];
  const { repository, number } = pull;
  const client = await engine.github.installationClient(repository.installationId);
  const snapshot = await getPull(client, repository, number);
  const holding = await holdingPolicy(engine, client, repository, snapshot);
  if (holding.kind === 'broken' || holding.policy.spec?.hostKeys !== 'firstUse')
    return resolved.unpinned.map(({ error }) => error);
  const tip = await engine.revisions.resolveCommit(repository, holding.commit);
  return droppedPins(resolved, [tip.resolution, resolved.base]);
}

/** `before`: what holds now, where a key that was only seen is no pin. */
export function droppedPins(
  { unpinned, merged }: Pick<Resolved, 'unpinned' | 'merged'>,
  before: readonly Resolution[],
): readonly SpecError[] {
  const pinned = before
    .flatMap(({ hosts }) => hosts.map(({ server }) => server))
    .filter(({ hostKeys, firstSeen }) => hostKeys.length > 0 && firstSeen === undefined);
  return unpinned.flatMap(({ name, error }) => {
    const server = merged.hosts.find((host) => host.name === name)?.server;
    const was = pinned.find((each) => each.name === name || sameAddress(each, server));
    return was === undefined ? [] : [{ ...error, message: droppedSentence(name, was) }];
  });
}

function sameAddress(pinned: ResolvedServer, server: ResolvedServer | undefined): boolean {
  return server !== undefined && addressOf(pinned) === addressOf(server);
}

function droppedSentence(name: string, { name: was, hostKeys }: ResolvedServer): string {
  const whose = was === name ? `Server ${name}` : `Server ${name} has the address of ${was}, which`;
  return `${whose} is pinned to ${hostKeys.map(printOf).join(' or ')}, so it cannot go without "hostKey": keep that key, or pin the machine's new one. First use is for servers that were never pinned.`;
}
