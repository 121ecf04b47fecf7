/**
 * Names of the units that a host is a member of, such as a database cluster, a load balancer's pool, or a label's value.
 * Members of a unit stand in for each other, so no two of them are ever changed together.
 */
export type Membership = (host: string) => readonly string[];

/** As many of the hosts as `most`, in their order, no two of them members of one unit; and those that are left. */
export function apart(
  hosts: readonly string[],
  most: number,
  unitsOf: Membership,
): { readonly batch: readonly string[]; readonly rest: readonly string[] } {
  const batch: string[] = [];
  const rest: string[] = [];
  const taken = new Set<string>();
  for (const host of hosts) {
    const units = batch.length < most ? unitsOf(host) : [];
    if (batch.length >= most || units.some((unit) => taken.has(unit))) rest.push(host);
    else {
      batch.push(host);
      for (const unit of units) taken.add(unit);
    }
  }
  return { batch, rest };
}
