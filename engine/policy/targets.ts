import type { Plan } from '../plan/step.ts';
import type { ResolvedServer } from '../spec/resolution.ts';
import type { Place, Target } from './change.ts';

/** A server as far as it matters which one it is, and as what it counts. */
export interface Known {
  readonly name: string;
  readonly server: Pick<ResolvedServer, 'site' | 'labels' | 'address' | 'port' | 'hostKeys'>;
}

export interface Fleets {
  /** As the merge has it; without the others, what holds already. */
  readonly merged: readonly Known[];
  /** As it is before the merge: what the change moves is compared with this. */
  readonly base?: readonly Known[];
  /** On the default branch, where that is another one: labels that a side branch gives do not take away what holds there. */
  readonly trusted?: readonly Known[];
}

/**
 * Servers on which the plan does something, and those that the change moves: it gives them other labels, another site,
 * name, address or key, or drops them. Whatever a server is called now, it also counts as what it was until now.
 */
export function targetsOf(
  { hosts }: Pick<Plan, 'hosts'>,
  { merged, base = [], trusted = [] }: Fleets,
): readonly Target[] {
  const stepsOf = new Map(hosts.map(({ host, steps }) => [host, steps]));
  const [inMerge, inBase, inTrusted] = [byName(merged), byName(base), byName(trusted)];
  const named = merged.flatMap((host): readonly Target[] => {
    const steps = stepsOf.get(host.name) ?? [];
    const isSame = isUnchanged(host, inBase);
    if (steps.length === 0 && isSame) return [];
    const was = counterparts(host, base, inBase);
    const moved = !isSame && was.length > 0;
    if (steps.length === 0 && !moved) return [];
    const before = distinct([...was, ...counterparts(host, trusted, inTrusted)]);
    return [{ name: host.name, now: [placeOf(host)], before, moved, steps }];
  });
  // of a server that nobody knows nothing is known, and nothing relaxes for it
  const unknown = hosts
    .filter(({ host, steps }) => steps.length > 0 && !inMerge.has(host))
    .map(({ host, steps }) => ({ name: host, now: [NOWHERE], before: [], moved: false, steps }));
  return [...named, ...unknown, ...dropped(base, merged, inMerge)];
}

/** Servers of the base that no server of the merge is. */
function dropped(
  base: readonly Known[],
  merged: readonly Known[],
  inMerge: ReadonlyMap<string, Known>,
): readonly Target[] {
  return base
    .filter((was) => !inMerge.has(was.name) && !merged.some((host) => shares(host, was)))
    .map((was) => ({ name: was.name, now: [], before: [placeOf(was)], moved: true, steps: [] }));
}

/**
 * The servers that this one may have been. For one that stays as it is: its own document, and others of the same address
 * and key. For one that does not: also whatever has its name, its address or one of its keys, for the rest may be what was changed.
 */
function counterparts(
  host: Known,
  before: readonly Known[],
  named: ReadonlyMap<string, Known>,
): readonly Known[] {
  const isSame = isUnchanged(host, named);
  return before.filter(
    (was) =>
      was.name === host.name ||
      (isSame ? sharesAddress(host, was) && sharesKey(host, was) : shares(host, was)),
  );
}

function isUnchanged(host: Known, named: ReadonlyMap<string, Known>): boolean {
  const was = named.get(host.name);
  return was !== undefined && standing(was) === standing(host);
}

function standing(host: Known): string {
  const { address, port, hostKeys } = host.server;
  return JSON.stringify([asText(placeOf(host)), address, port, [...hostKeys].sort()]);
}

function asText({ site, labels }: Place): string {
  return JSON.stringify([site, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function shares(host: Known, was: Known): boolean {
  return sharesAddress(host, was) || sharesKey(host, was);
}

function sharesAddress({ server: a }: Known, { server: b }: Known): boolean {
  return a.address.toLowerCase() === b.address.toLowerCase() && a.port === b.port;
}

function sharesKey({ server: a }: Known, { server: b }: Known): boolean {
  return a.hostKeys.some((key) => b.hostKeys.includes(key));
}

const NOWHERE: Place = { site: '', labels: {} };

function placeOf({ server: { site, labels } }: Known): Place {
  return { site, labels };
}

function distinct(hosts: readonly Known[]): readonly Place[] {
  return [...new Map(hosts.map(placeOf).map((place) => [asText(place), place])).values()];
}

function byName(hosts: readonly Known[]): ReadonlyMap<string, Known> {
  return new Map(hosts.map((host) => [host.name, host]));
}
