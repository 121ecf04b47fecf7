/** Looks at the hosts from outside the engine: their disks as this machine sees them, and what they themselves say. */
import { compareTrees, MAY_DIFFER, patternToRegExp, type Snapshot, snapshotTree } from '../compare.ts';
import type { LabHost } from '../hosts.ts';
import { compareInventories, type Inventory, inventoryOf } from '../inventory.ts';

export interface Sight {
  readonly host: LabHost;
  readonly tree: Snapshot;
  readonly inventory: Inventory;
}

export interface Comparison {
  /** Paths that a host holds beside its read-only base image, and that were compared. */
  readonly paths: number;
  /** Packages, users, units, ports, ...: lines that were compared. */
  readonly facts: number;
  /** In words; empty where nothing differs. */
  readonly differences: readonly string[];
}

export function look(hosts: readonly LabHost[]): Promise<Sight[]> {
  return Promise.all(
    hosts.map(async (host) => ({ host, tree: await snapshotTree(host), inventory: await inventoryOf(host) })),
  );
}

/** `before` and `after` are of the same hosts in the same order. */
export async function compareSights(before: readonly Sight[], after: readonly Sight[]): Promise<Comparison> {
  const each = await Promise.all(
    after.map((sight, i) => {
      const old = before[i];
      if (old === undefined) throw new Error(`${sight.host.name} was not looked at before`);
      return compareHost(old, sight);
    }),
  );
  return {
    paths: each.reduce((sum, one) => sum + one.paths, 0),
    facts: each.reduce((sum, one) => sum + one.facts, 0),
    differences: each.flatMap((one) => one.differences),
  };
}

async function compareHost(before: Sight, after: Sight): Promise<Comparison> {
  const trees = await compareTrees(before.tree, after.tree);
  const inventories = compareInventories(before.inventory, after.inventory);
  const { name } = after.host;
  return {
    paths: comparedPaths(before.tree, after.tree),
    facts: Object.values(after.inventory).reduce((sum, lines) => sum + lines.length, 0),
    differences: [
      ...trees.map((difference) => `${name}: ${difference.path}: ${difference.what.join(', ')}`),
      ...inventories.map((line) => `${name}: ${line}`),
    ],
  };
}

function comparedPaths(before: Snapshot, after: Snapshot): number {
  const ignored = MAY_DIFFER.map((entry) => patternToRegExp(entry.pattern));
  const paths = new Set([...before.changed.keys(), ...after.changed.keys()]);
  return [...paths].filter((path) => !ignored.some((pattern) => pattern.test(path))).length;
}
