import type { ItemKey } from '../facts/fact.ts';
import { kindOf } from '../kinds/registry.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import { canonicalJson } from './digest.ts';

/** Items of a host whose desired state differs between two commits; a step for any other item mends drift. */
export function changedItems(base: Resolution, head: Resolution, host: string): ReadonlySet<ItemKey> {
  const before = desiredItems(base, host);
  const after = desiredItems(head, host);
  const all = [...before.keys(), ...after.keys()];
  return new Set(all.filter((item) => before.get(item) !== after.get(item)));
}

/** Canonical desired state by item; empty for a host that is not there. */
function desiredItems(resolution: Resolution, name: string): ReadonlyMap<ItemKey, string> {
  const host = resolution.hosts.find((candidate) => candidate.name === name);
  return new Map(host === undefined ? [] : host.documents.flatMap(itemsOf));
}

function itemsOf(document: ResolvedHost['documents'][number]): readonly (readonly [ItemKey, string])[] {
  return kindOf(document)
    .claims(document.spec)
    .map(({ item, pointer }) => [item, canonicalJson(valueAt(document.spec, pointer) ?? null)] as const);
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
