import type { ContentOf } from '../secrets/secrets.ts';
import type { Payload } from '../spec/configuration.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import { identityOf } from './identity.ts';
import type { DesiredHosts } from './revisions.ts';
import { sealedPayloads, usesOn } from './sealing.ts';

/**
 * Desired states that may have put secrets on a server: what a change brings, and what was there before it. A step may
 * print any file of its server, also one that the change does not touch.
 */
export type Known = readonly Resolution[];

export function knownTo({ merged, base }: Pick<DesiredHosts, 'merged' | 'base'>): Known {
  return [merged, base];
}

/** What of it concerns one server: whoever works there for hours does not hold a repository twice. */
export function knownOn(host: ResolvedHost, known: Known): Known {
  return known.map((resolution) => {
    const hosts = resolution.hosts.filter(isThe(host));
    const payloads = hosts.flatMap(readFor).flatMap((sha256) => {
      const bytes = resolution.payloads.get(sha256);
      return bytes === undefined ? [] : [[sha256, bytes] as const];
    });
    return { kind: 'resolution', hosts, payloads: new Map(payloads), errors: [] };
  });
}

/** sha256 (hex) of what has to be read to know what the host's secrets look like, by themselves and in their files. */
function readFor(host: ResolvedHost): readonly string[] {
  return [...secretFiles(host), ...sealedPayloads(host).map(({ sha256 }) => sha256)];
}

/** sha256 (hex) of the encrypted files of the repository that the host's secrets are in. */
export function secretFiles(host: ResolvedHost): readonly string[] {
  return usesOn(host).flatMap(({ ref }) => (ref.from === 'age' ? [ref.sha256] : []));
}

/** Contents with secrets in them, of the machine, whatever its documents are called. */
export function sealedOn(host: ResolvedHost, known: Known): readonly Payload[] {
  return known
    .flatMap(({ hosts }) => hosts)
    .filter(isThe(host))
    .flatMap(sealedPayloads);
}

function isThe({ name, server }: ResolvedHost): (host: ResolvedHost) => boolean {
  const identity = identityOf(server);
  return (host) => host.name === name || identityOf(host.server) === identity;
}

/** Encrypted files that no step of a plan writes are in the repository only, not in the store. */
export function contentsIn(known: Known, stored: ContentOf): ContentOf {
  return async (sha256) => {
    const holder = known.find(({ payloads }) => payloads.has(sha256));
    return holder?.payloads.get(sha256) ?? stored(sha256);
  };
}
