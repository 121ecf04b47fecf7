import { splitItemKey } from '../facts/fact.ts';
import { configurationClaims } from '../kinds/configuration/claims.ts';
import type { Claim } from '../kinds/kind.ts';
import type { ResolvedConfiguration } from './configuration.ts';
import { type ConfigurationDocument, errorAtKey } from './documents.ts';
import type { SpecError } from './manifest.ts';
import { keyPosition } from './validate.ts';

/** A configuration as it is on one host. */
export interface Placed {
  readonly document: ConfigurationDocument;
  readonly spec: ResolvedConfiguration;
}

interface PlacedClaim extends Claim {
  readonly placed: Placed;
}

/** Two places that write the same item, with the hosts on which they do. */
interface Conflict {
  readonly first: PlacedClaim;
  readonly second: PlacedClaim;
  readonly hosts: string[];
  readonly sentence: (first: string, hosts: string) => string;
}

export interface ConflictFinder {
  readonly addHost: (host: string, documents: readonly Placed[]) => void;
  readonly errors: () => readonly SpecError[];
}

/** Finds what several documents (or several places of one) write on the same host; one error for all such hosts. */
export function conflictFinder(): ConflictFinder {
  const conflicts = new Map<string, Conflict>();
  const record = (host: string, conflict: Omit<Conflict, 'hosts'>) => {
    const key = JSON.stringify([placeOf(conflict.first), placeOf(conflict.second), conflict.first.item]);
    const known = conflicts.get(key);
    if (known === undefined) conflicts.set(key, { ...conflict, hosts: [host] });
    else known.hosts.push(host);
  };
  return {
    addHost: (host, documents) => {
      const first = new Map<string, PlacedClaim>();
      for (const claim of documents.flatMap(claimsOf)) {
        const other = first.get(claim.item);
        if (other === undefined) first.set(claim.item, claim);
        else record(host, { first: other, second: claim, sentence: sameItem(claim) });
      }
      for (const claim of first.values()) {
        const file = fileAbove(first, claim);
        if (file !== undefined)
          record(host, { first: file, second: claim, sentence: belowFile(claim, file) });
      }
    },
    errors: () => [...conflicts.values()].map(toError),
  };
}

function claimsOf(placed: Placed): readonly PlacedClaim[] {
  return configurationClaims(placed.spec).map((claim) => ({ ...claim, placed }));
}

/** The claim of a file in whose place a path would need a directory. */
function fileAbove(claims: ReadonlyMap<string, PlacedClaim>, claim: PlacedClaim): PlacedClaim | undefined {
  const { fact, key } = splitItemKey(claim.item);
  if (fact !== 'path') return undefined;
  for (let slash = key.lastIndexOf('/'); slash > 0; slash = key.lastIndexOf('/', slash - 1)) {
    const path = key.slice(0, slash);
    const above = claims.get(`path:${path}`);
    if (above?.placed.spec.files[path]?.state === 'file') return above;
  }
  return undefined;
}

function sameItem(claim: PlacedClaim): Conflict['sentence'] {
  const { key } = splitItemKey(claim.item);
  const what = key === 'all' ? `The ${splitItemKey(claim.item).fact}` : key;
  return (first, hosts) => `${what} is also written by ${first}, on ${hosts}; keep it in one place.`;
}

function belowFile(claim: PlacedClaim, file: PlacedClaim): Conflict['sentence'] {
  const path = splitItemKey(claim.item).key;
  const above = splitItemKey(file.item).key;
  return (first, hosts) =>
    `${path} lies below ${above}, which is a file by ${first}, on ${hosts}; change one of them.`;
}

function toError({ first, second, hosts, sentence }: Conflict): SpecError {
  const place = keyPosition(first.placed.document, `/spec${first.pointer}`);
  const source = `${first.placed.document.ref} (${place.file} line ${place.line})`;
  return errorAtKey(
    second.placed.document,
    'duplicate-claim',
    `/spec${second.pointer}`,
    sentence(source, hostList(hosts)),
  );
}

function placeOf(claim: PlacedClaim): unknown {
  const { file, line } = claim.placed.document.position;
  return [file, line, claim.pointer];
}

/** Names in a sentence; the rest are counted. */
const NAMED_HOSTS = 3;

export function hostList(hosts: readonly string[]): string {
  const named = hosts.slice(0, NAMED_HOSTS);
  const rest = hosts.length - named.length;
  if (rest > 0) return `${named.join(', ')} and ${rest} more`;
  return named.length > 1
    ? `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`
    : (named[0] ?? 'no server');
}
