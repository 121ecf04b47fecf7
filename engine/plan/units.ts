import { kindOf } from '../kinds/registry.ts';
import type { Membership } from '../rollout/apart.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';

/**
 * The units that hosts are members of: by what kinds say of their documents, whether these have a step or not, and by
 * the labels that rollouts name. A host without such a label is in no unit of it.
 */
export function membershipOf(
  hosts: ReadonlyMap<string, ResolvedHost>,
  labels: readonly string[] = [],
  unitsOf: (document: ResolvedDocument) => readonly string[] = declaredUnits,
): Membership {
  return (name) => {
    const host = hosts.get(name);
    if (host === undefined) return [];
    const { server, documents } = host;
    return [
      ...labels.flatMap((label) =>
        Object.hasOwn(server.labels, label) ? [`${label}: ${server.labels[label]}`] : [],
      ),
      ...documents.flatMap((document) => unitsOf(document).map((unit) => `${document.ref} ${unit}`)),
    ];
  };
}

function declaredUnits(document: ResolvedDocument): readonly string[] {
  return kindOf(document).units?.(document.spec) ?? [];
}

/** Hosts that are never changed together, unit by unit; none with one of the hosts alone. */
export function sharedUnits(hosts: readonly string[], unitsOf: Membership): readonly (readonly string[])[] {
  const units = new Map<string, string[]>();
  for (const host of hosts)
    for (const unit of unitsOf(host)) units.set(unit, [...(units.get(unit) ?? []), host]);
  return [...units.values()].filter((members) => members.length > 1);
}
