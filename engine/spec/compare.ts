import type { ItemKey } from '../facts/fact.ts';
import { kindOf } from '../kinds/registry.ts';
import { canonicalJson } from './canonical.ts';
import { pointerSegments } from './pointer.ts';
import type { HostsDiff, Resolution, ResolvedDocument, ResolvedHost } from './resolution.ts';

/** Which hosts have another desired state in `head` than in `base`. Renamed or moved documents change nothing. */
export function diffHosts(base: Resolution, head: Resolution): HostsDiff {
  const before = states(base);
  const after = states(head);
  const both = [...after.keys()].filter((name) => before.has(name));
  return {
    changed: both.filter((name) => before.get(name) !== after.get(name)),
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    unchanged: both.filter((name) => before.get(name) === after.get(name)),
  };
}

function states(resolution: Resolution): ReadonlyMap<string, string> {
  return new Map(resolution.hosts.map((host) => [host.name, canonicalHost(host)]));
}

/** Text that is equal exactly when the host's connection, items and probes are. */
export function canonicalHost(host: ResolvedHost): string {
  const items = host.documents.flatMap((document) => [...desiredItems(document)]);
  const probes = host.documents.flatMap((document) =>
    kindOf(document).probes(document.spec).map(canonicalJson),
  );
  return canonicalJson({
    server: host.server,
    items: items.map(([item, state]) => [item, state]).sort(byFirst),
    probes: probes.sort(),
  });
}

function byFirst(a: readonly (string | undefined)[], b: readonly (string | undefined)[]): number {
  return (a[0] ?? '') < (b[0] ?? '') ? -1 : 1;
}

/**
 * The desired state of one item as text, undefined where the document does not write it. Equal in base and head
 * means that a step for the item is drift and not what the pull request asks for.
 */
export function canonicalItem(document: Wanting, item: ItemKey): string | undefined {
  return desiredItems(document).get(item);
}

type Wanting = Pick<ResolvedDocument, 'kind' | 'spec'>;

const itemsBySpec = new WeakMap<ResolvedDocument['spec'], ReadonlyMap<ItemKey, string>>();

/** Every item that the document writes, with its canonical desired state. */
export function desiredItems({ kind, spec }: Wanting): ReadonlyMap<ItemKey, string> {
  const known = itemsBySpec.get(spec);
  if (known !== undefined) return known;
  const claims = kindOf({ kind }).writes.claims(spec);
  const items = new Map(
    claims.map(({ item, pointer }) => [item, canonicalJson(ownState(valueAt(spec, pointer)))]),
  );
  itemsBySpec.set(spec, items);
  return items;
}

function valueAt(spec: unknown, pointer: string): unknown {
  return pointerSegments(pointer).reduce<unknown>(
    (value, segment) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, segment) : undefined,
    spec,
  );
}

/** Whom to tell is not part of the item's state, and a user's keys are an item of their own. */
function ownState(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const others = new Set(['notify', 'authorizedKeys']);
  return Object.fromEntries(Object.entries(value).filter(([name]) => !others.has(name)));
}
