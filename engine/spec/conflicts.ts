import { type ItemKey, itemKey, splitItemKey } from '../facts/fact.ts';
import { canonicalItem } from '../kinds/configuration/writes.ts';
import type { Claim } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import { errorAtKey, type PlannedDocument } from './documents.ts';
import type { SpecError } from './manifest.ts';
import type { ResolvedDocument } from './resolution.ts';
import { keyPosition } from './validate.ts';

/** A document as it is written and as it is on one host. */
export interface Placed {
  readonly document: PlannedDocument;
  readonly resolved: ResolvedDocument;
}

interface PlacedClaim extends Claim {
  readonly placed: Placed;
  /** The item by its one canonical name. */
  readonly identity: ItemKey;
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
    const key = JSON.stringify([placeOf(conflict.first), placeOf(conflict.second), conflict.first.identity]);
    const known = conflicts.get(key);
    if (known === undefined) conflicts.set(key, { ...conflict, hosts: [host] });
    else known.hosts.push(host);
  };
  return {
    addHost: (host, documents) => {
      const first = new Map<string, PlacedClaim>();
      for (const claim of documents.flatMap(claimsOf)) {
        const other = first.get(claim.identity);
        if (other === undefined) first.set(claim.identity, claim);
        else record(host, { first: other, second: claim, sentence: sameItem(claim) });
      }
      for (const claim of first.values()) {
        const file = fileAbove(first, claim);
        if (file !== undefined)
          record(host, { first: file, second: claim, sentence: belowFile(claim, file) });
      }
      for (const [whole, claim] of wholeFiles(first))
        record(host, { first: claim, second: whole, sentence: partOf(claim, whole) });
    },
    errors: () => [...conflicts.values()].map(toError),
  };
}

function claimsOf(placed: Placed): readonly PlacedClaim[] {
  const { resolved } = placed;
  const { writes } = kindOf(resolved);
  const claims = [...writes.claims(resolved.spec), ...writes.ids(resolved.spec)];
  return claims.map((claim) => ({ ...claim, placed, identity: canonicalItem(claim.item) }));
}

/** Paths that are written whole and, as part of it, by another section: each with the first item that does. */
function wholeFiles(claims: ReadonlyMap<string, PlacedClaim>): ReadonlyMap<PlacedClaim, PlacedClaim> {
  const found = new Map<PlacedClaim, PlacedClaim>();
  for (const claim of claims.values()) {
    const { resolved } = claim.placed;
    for (const path of kindOf(resolved).writes.paths(claim.item, resolved.spec)) {
      const whole = claims.get(canonicalItem(itemKey('path', path)));
      if (whole !== undefined && !found.has(whole)) found.set(whole, claim);
    }
  }
  return found;
}

/** The claim of a file in whose place a path would need a directory. */
function fileAbove(claims: ReadonlyMap<string, PlacedClaim>, claim: PlacedClaim): PlacedClaim | undefined {
  const { fact, key } = splitItemKey(claim.identity);
  if (fact !== 'path') return undefined;
  for (let slash = key.lastIndexOf('/'); slash > 0; slash = key.lastIndexOf('/', slash - 1)) {
    const path = key.slice(0, slash);
    const above = claims.get(`path:${path}`);
    if (above !== undefined && isFile(above)) return above;
  }
  return undefined;
}

function isFile({ item, placed: { resolved } }: PlacedClaim): boolean {
  return kindOf(resolved).writes.isFile(splitItemKey(item).key, resolved.spec);
}

function sameItem(claim: PlacedClaim): Conflict['sentence'] {
  const { fact, key } = splitItemKey(claim.item);
  if (fact === 'uid' || fact === 'gid')
    return (first, hosts) => `The ${fact} ${key} is also given by ${first}, on ${hosts}; choose another.`;
  const what = key === 'all' || fact === 'firewall' ? `The ${fact}` : key;
  return (first, hosts) => `${what} is also written by ${first}, on ${hosts}; keep it in one place.`;
}

/** What a file holds that sections write parts of, in the words of the YAML. */
const SECTIONS: Readonly<Record<string, string>> = {
  'hosts-entry': 'hostsEntries',
  'apt-repository': 'aptRepositories',
  'authorized-keys': 'authorizedKeys',
  user: 'users',
  group: 'groups',
  unit: 'units',
};

function partOf(part: PlacedClaim, whole: PlacedClaim): Conflict['sentence'] {
  const { fact } = splitItemKey(part.item);
  const path = splitItemKey(whole.item).key;
  return (first, hosts) =>
    `${path} is also written by "${SECTIONS[fact] ?? fact}" of ${first}, on ${hosts}; keep it in one place.`;
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
