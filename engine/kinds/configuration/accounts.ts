import { type FactQuery, itemKey, type Readings } from '../../facts/fact.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import type { KindFinding } from '../kind.ts';

/** A user or group that an item of the document names. */
export interface AccountUse {
  readonly kind: 'user' | 'group';
  readonly name: string;
  /** What names it, such as `file /etc/motd`. */
  readonly for: string;
}

export function ownershipUses(
  what: string,
  owned: { readonly owner: string; readonly group: string },
): readonly AccountUse[] {
  return [
    { kind: 'user', name: owned.owner, for: what },
    { kind: 'group', name: owned.group, for: what },
  ];
}

/** What must be read to know whether the accounts are there. */
export function accountNeeds(spec: ResolvedConfiguration, uses: readonly AccountUse[]): readonly FactQuery[] {
  return uses.filter((use) => isOpen(spec, use)).map((use) => ({ fact: use.kind, key: use.name }));
}

/**
 * Accounts that are neither on the host nor in this document. Another document of the host may still make them, which
 * `unlessClaimed` leaves to the planner; so may a package that is not installed yet.
 */
export function missingAccounts(
  spec: ResolvedConfiguration,
  readings: Readings,
  uses: readonly AccountUse[],
): readonly KindFinding[] {
  const pending = Object.entries(spec.packages)
    .filter(([name, wanted]) => wanted.state === 'present' && isAbsent(readings, 'package', name))
    .map(([name]) => name);
  return uses
    .filter((use) => isOpen(spec, use) && isAbsent(readings, use.kind, use.name))
    .map((use) => missing(use, pending));
}

function missing(use: AccountUse, pending: readonly string[]): KindFinding {
  const unlessClaimed = itemKey(use.kind, use.name);
  const what = `${use.for} names the ${use.kind} ${use.name}, which is not on the host`;
  if (pending.length > 0)
    return {
      severity: 'warning',
      message: `${what}: one of ${pending.join(', ')} must bring it`,
      unlessClaimed,
    };
  return { severity: 'error', message: `${what}; add it to ${use.kind}s or correct the name`, unlessClaimed };
}

/** root and numbers need no account; one that this document makes will be there. */
function isOpen(spec: ResolvedConfiguration, use: AccountUse): boolean {
  if (use.name === 'root' || /^\d+$/.test(use.name)) return false;
  const made = use.kind === 'user' ? spec.users[use.name] : spec.groups[use.name];
  if (made?.state === 'present') return false;
  return use.kind === 'user' || !bringsOwnGroup(spec, use.name);
}

/** A new user without a given group gets one of its own name. */
function bringsOwnGroup(spec: ResolvedConfiguration, name: string): boolean {
  const user = spec.users[name];
  return user?.state === 'present' && user.group === undefined;
}

function isAbsent(readings: Readings, fact: string, key: string): boolean {
  const state = readings.get(itemKey(fact, key))?.state;
  return state !== null && typeof state === 'object' && 'present' in state && state.present === false;
}
