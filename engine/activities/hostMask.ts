import type { ContentOf } from '../secrets/secrets.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import type { SecretUse } from '../spec/secrets.ts';
import { identityOf } from './identity.ts';
import type { ResolvedRevision } from './revisions.ts';
import { usesOn } from './sealing.ts';

/**
 * Desired states that may have put secrets on a server: what a change brings, and what was there before it. A step may
 * print any file of its server, also one that the change does not touch.
 */
export type Known = readonly Resolution[];

export function knownTo(revision: ResolvedRevision): Known {
  return revision.kind === 'conflict' ? [] : [revision.merged, revision.base];
}

/** Of the machine, whatever its documents are called. */
export function secretsOn({ name, server }: ResolvedHost, known: Known): readonly SecretUse[] {
  const identity = identityOf(server);
  return known
    .flatMap(({ hosts }) => hosts)
    .filter((host) => host.name === name || identityOf(host.server) === identity)
    .flatMap(usesOn);
}

/** Encrypted files that no step of a plan writes are in the repository only, not in the store. */
export function contentsIn(known: Known, stored: ContentOf): ContentOf {
  return async (sha256) => {
    const holder = known.find(({ payloads }) => payloads.has(sha256));
    return holder?.payloads.get(sha256) ?? stored(sha256);
  };
}
