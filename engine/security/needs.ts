import { type FactQuery, type ItemKey, itemKey, type Readings } from '../facts/fact.ts';
import { type FirewallState, firewallFact } from '../facts/firewall.ts';
import { type InventoryState, inventoryFact } from '../facts/inventory.ts';
import { type UpdatesQuery, updatesFact } from '../facts/updates.ts';
import { stateOf } from '../kinds/readings.ts';
import { kindOf } from '../kinds/registry.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { isHardening } from './hardening.ts';

/** Kinds that the report is about; a repository without any of them is not read for it by the clock. */
const KINDS: readonly string[] = ['Firewall', 'Hardening', 'PatchPolicy'];

export function isSecured(hosts: readonly ResolvedHost[]): boolean {
  return hosts.some(({ documents }) => documents.some(({ kind }) => KINDS.includes(kind)));
}

/** Everything that must be read of a host for its part of the report, each item once. */
export function securityNeeds(host: ResolvedHost): readonly FactQuery[] {
  const needed = host.documents.flatMap((document) => kindOf(document).needs(document.spec));
  const controls = host.documents
    .filter(isHardening)
    .flatMap((document) => kindOf(document).needs(document.spec));
  // a policy says what else counts as a security archive
  const updates = needed.filter(({ fact }) => fact === updatesFact.fact);
  const always: readonly FactQuery[] = [
    { fact: firewallFact.fact, key: 'inet' },
    { fact: inventoryFact.fact, key: 'all' },
    // without a selection apt is asked nothing
    ALL_UPDATES,
  ];
  const byItem = new Map<ItemKey, FactQuery>();
  for (const query of [...controls, ...updates, ...always]) {
    const item = itemKey(query.fact, query.key);
    if (!byItem.has(item)) byItem.set(item, query);
  }
  return [...byItem.values()];
}

const ALL_UPDATES: UpdatesQuery = { fact: updatesFact.fact, key: 'all', updates: 'all' };

/** What must be read of a host that only looks at another one. */
export function lookerNeeds(): readonly FactQuery[] {
  return [{ fact: inventoryFact.fact, key: 'all' }];
}

export function firewallOf(readings: Readings): FirewallState {
  return stateOf(readings, firewallFact, 'inet');
}

export function inventoryOf(readings: Readings): InventoryState {
  return stateOf(readings, inventoryFact, 'all');
}
