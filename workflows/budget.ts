/** What a rollout may bear: counted over the whole fleet, all batches and waves together. */
export interface Budget {
  readonly failureBudget: number;
  /** Hosts that failed so far. */
  readonly failed: readonly string[];
}

/** What keeps a rollout from interrupting more hosts. */
export interface Availability {
  /** Hosts that may be unavailable at the same time; at least 1. */
  readonly maxUnavailable: number;
  /** Hosts that failed so far, also those that were put back: that they serve again is not known. */
  readonly failed: readonly string[];
  /** Hosts that do not answer now, whether they were changed, skipped or are still to come. */
  readonly silent: readonly string[];
  /** Whose turn it is, in their order: those that are changed now take room by that alone, silent or not. */
  readonly group?: readonly string[];
}

export type Room =
  | { readonly kind: 'some'; readonly hosts: number }
  /** `passes`: it may be enough to wait for those that do not answer. */
  | { readonly kind: 'none'; readonly down: readonly string[]; readonly passes: boolean };

/** How many hosts, the first of the group, may be interrupted beside those that are down already. */
export function roomBeside({ maxUnavailable, failed, silent, group = [] }: Availability): Room {
  const down = new Set([...failed, ...silent]);
  const room = maxUnavailable - down.size;
  const hosts = room < 0 ? 0 : fitting(group, down, room);
  if (hosts > 0) return { kind: 'some', hosts };
  return { kind: 'none', down: [...down], passes: new Set(failed).size < maxUnavailable };
}

/** So many of the group's first hosts have at most `room` among them that are up; what is left of the room comes on top. */
function fitting(group: readonly string[], down: ReadonlySet<string>, room: number): number {
  const up = group.filter((host) => !down.has(host));
  const tooMuch = up[room];
  return tooMuch === undefined ? group.length + room - up.length : group.indexOf(tooMuch);
}

/** A failed canary stops the rollout whatever the budget: nothing has been proven yet. */
export function isExceeded({ failureBudget, failed }: Budget, canaries: readonly string[]): boolean {
  return new Set(failed).size > failureBudget || failed.some((host) => canaries.includes(host));
}
