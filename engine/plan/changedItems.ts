import type { ItemKey } from '../facts/fact.ts';
import { kindOf } from '../kinds/registry.ts';
import type { Resolution, ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import { canonicalJson } from './digest.ts';

/** Items of a host whose desired state differs between two commits; a step for any other item mends drift. */
export function changedItems(base: Resolution, head: Resolution, host: string): ReadonlySet<ItemKey> {
  const before = canonicalItems(base, host);
  const after = canonicalItems(head, host);
  const all = [...before.keys(), ...after.keys()];
  return new Set(all.filter((item) => before.get(item) !== after.get(item)));
}

/** Canonical desired state by item; empty for a host that is not there. */
function canonicalItems(resolution: Resolution, name: string): ReadonlyMap<ItemKey, string> {
  const host = resolution.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) return new Map();
  return new Map([...desiredItems(host)].map(([item, value]) => [item, canonicalJson(value ?? null)]));
}

/** What a host's documents want of each item: the part of the spec that claims it. */
export function desiredItems(host: ResolvedHost): ReadonlyMap<ItemKey, unknown> {
  return new Map(host.documents.flatMap(itemsOf));
}

function itemsOf(document: ResolvedDocument): readonly (readonly [ItemKey, unknown])[] {
  const { spec } = document;
  return kindOf(document)
    .claims(spec)
    .map(({ item, pointer }) => [item, valueAt(spec, pointer)] as const);
}

/** The value at a JSON pointer (RFC 6901). */
function valueAt(root: unknown, pointer: string): unknown {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  return keys.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    root,
  );
}
