/** What is known of the hosts that are to be put back. */
export interface Undoing {
  /** Not as wanted: their service may be down already. */
  readonly failed: readonly string[];
  /** Out of reach now. */
  readonly silent: readonly string[];
  /** Hosts whose service may be interrupted at the same time; at least 1. */
  readonly atOnce: number;
  /** Units: no two members of one are put back together, so that one of them serves. Left out: none. */
  readonly apart?: readonly (readonly string[])[];
}

/**
 * Hosts that are put back together, group after group. The failed go first: that brings back what is down before anything
 * else is interrupted. The others follow in the reverse of `hosts`, which is the order of their change. The silent are last
 * and together: each is waited for as long as an outage may last, and none of them serves anybody.
 */
export function undoGroups(
  hosts: readonly string[],
  { failed, silent, atOnce, apart = [] }: Undoing,
): readonly (readonly string[])[] {
  const backwards = [...hosts].reverse();
  const there = backwards.filter((host) => !silent.includes(host));
  const ordered = [
    ...there.filter((host) => failed.includes(host)),
    ...there.filter((host) => !failed.includes(host)),
  ];
  const away = backwards.filter((host) => silent.includes(host));
  return [...chunks(ordered, atOnce, apart), ...(away.length === 0 ? [] : [away])];
}

function chunks(
  hosts: readonly string[],
  size: number,
  units: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  const found: string[][] = [];
  for (const host of hosts) {
    const mates = units.filter((unit) => unit.includes(host)).flat();
    const room = found.find((chunk) => chunk.length < size && !chunk.some((other) => mates.includes(other)));
    if (room === undefined) found.push([host]);
    else room.push(host);
  }
  return found;
}
