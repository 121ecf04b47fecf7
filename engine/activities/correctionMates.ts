import { membershipOf } from '../plan/units.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';

/** Hosts by what stands in for what, by the labels of these documents. */
export interface Mates {
  /** One of these that stands in for the host. */
  readonly among: (host: string, others: Iterable<string>) => string | undefined;
}

export function matesBy(hosts: readonly ResolvedHost[], documents: readonly ResolvedDocument[]): Mates {
  const labels = [...new Set(documents.flatMap(({ rollout }) => rollout?.spread ?? []))];
  const unitsOf = membershipOf(new Map(hosts.map((host) => [host.name, host])), labels);
  return {
    among: (host, others) => {
      const own = new Set(unitsOf(host));
      if (own.size === 0) return undefined;
      return [...others].find((other) => other !== host && unitsOf(other).some((unit) => own.has(unit)));
    },
  };
}

/** Nothing is changed by itself beside a host of which nobody knows that it serves. A sentence without its full stop. */
export function besideUnread(host: string, unread: ReadonlySet<string>, mates: Mates): string | undefined {
  const mate = mates.among(host, unread);
  if (mate === undefined) return undefined;
  return `${mate}, which it stands in for, could not be read, needs recovery, or is being changed by a run; one of them has to serve`;
}

/**
 * Why one document's hosts wait for those of another, which are changed at the same time. Runs that share a host wait for each other
 * anyhow.
 */
export function besideOther(
  hosts: readonly string[],
  { document, hosts: others }: { readonly document: string; readonly hosts: readonly string[] },
  mates: Mates,
): string | undefined {
  if (hosts.some((host) => others.includes(host))) return undefined;
  for (const host of hosts) {
    const mate = mates.among(host, others);
    if (mate !== undefined)
      return `${mate}, which ${host} stands in for, is being changed for ${document}; the next reading goes on with it`;
  }
  return undefined;
}
