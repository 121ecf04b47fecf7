import { recordName } from '../github/workflowIds.ts';
import type { Resolution, ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import type { SeenKey } from '../store/hostKeys.ts';
import type { Store } from '../store/store.ts';
import type { Revisions } from './revisions.ts';
import type { RepositoryRef } from './types.ts';

/** Servers that were never pinned get the key that they were first seen with, so that all work on them is held to it. */
export function withSeenKeys(revisions: Revisions, { hostKeys }: Pick<Store, 'hostKeys'>): Revisions {
  const knownOf = async (repository: RepositoryRef, hosts: readonly ResolvedHost[]) =>
    hosts.some(({ server }) => isUnknown(server)) ? hostKeys.of(recordName(repository)) : [];
  const resolveTree: Revisions['resolveTree'] = async (repository, treeish) =>
    filledTree(repository, await revisions.resolveTree(repository, treeish));
  const filledTree = async (repository: RepositoryRef, tree: Awaited<ReturnType<typeof resolveTree>>) => {
    const known = await knownOf(repository, tree.resolution.hosts);
    return known.length === 0 ? tree : { ...tree, resolution: filled(tree.resolution, known) };
  };
  return {
    ...revisions,
    resolveTree,
    resolveCommit: async (repository, commit) =>
      filledTree(repository, await revisions.resolveCommit(repository, commit)),
    resolve: async (pull, revision) => {
      const resolved = await revisions.resolve(pull, revision);
      if (resolved.kind === 'conflict') return resolved;
      const { merged, base, changed } = resolved;
      const known = await knownOf(pull.repository, [...merged.hosts, ...base.hosts]);
      if (known.length === 0) return resolved;
      const hosts = changed.map((host) => withKeys(host, known));
      return { ...resolved, merged: filled(merged, known), base: filled(base, known), changed: hosts };
    },
  };
}

/** `10.0.0.5:22` */
export function addressOf({ address, port }: Pick<ResolvedServer, 'address' | 'port'>): string {
  return `${address}:${port}`;
}

/** A server and those through which it is reached, the outermost last. */
export function chainOf(server: ResolvedServer): readonly ResolvedServer[] {
  return [server, ...(server.jump === undefined ? [] : chainOf(server.jump))];
}

export function isUnknown(server: ResolvedServer): boolean {
  return chainOf(server).some(({ hostKeys }) => hostKeys.length === 0);
}

export function seenAs(server: ResolvedServer, { key, firstSeenAt }: SeenKey): ResolvedServer {
  return { ...server, hostKeys: [key], firstSeen: new Date(firstSeenAt).toISOString() };
}

function filled(resolution: Resolution, known: readonly SeenKey[]): Resolution {
  return { ...resolution, hosts: resolution.hosts.map((host) => withKeys(host, known)) };
}

function withKeys(host: ResolvedHost, known: readonly SeenKey[]): ResolvedHost {
  return isUnknown(host.server) ? { ...host, server: withKey(host.server, known) } : host;
}

function withKey(server: ResolvedServer, known: readonly SeenKey[]): ResolvedServer {
  const { jump, ...own } = server;
  const whole = { ...own, ...(jump === undefined ? {} : { jump: withKey(jump, known) }) };
  const seen = known.find((each) => each.server === server.name && each.address === addressOf(server));
  return server.hostKeys.length > 0 || seen === undefined ? whole : seenAs(whole, seen);
}
