import { itemKey, type Readings } from '../facts/fact.ts';
import { type AptTransaction, type PackageState, packageFact } from '../facts/package.ts';
import { isPackageIn } from '../operations/waysIn.ts';

const NOTHING: AptTransaction = { installs: [], upgrades: [], downgrades: [], removes: [] };

/** The host tells it once for all packages of all documents. */
export function transactionOf(readings: Readings): AptTransaction {
  return (
    packageStatesOf(readings).find(({ transaction }) => transaction !== undefined)?.transaction ?? NOTHING
  );
}

/**
 * The param `along` of a step for packages of these names. Other packages that come along count as little as candidate versions do:
 * a plan is no other one because a repository has something newer.
 */
export function waysInAlong(
  readings: Readings,
  own: readonly string[],
): { readonly along?: readonly string[] | null } {
  if (packageStatesOf(readings).some(({ offer }) => offer !== undefined && offer.version === undefined))
    return { along: null };
  const { installs, upgrades, downgrades } = transactionOf(readings);
  const along = [...new Set([...installs, ...upgrades, ...downgrades])].filter(
    (name) => isPackageIn(name) && !own.includes(name),
  );
  return along.length === 0 ? {} : { along: along.sort() };
}

/** Packages that no document wants away and that apt would remove with those that are. */
export function removedAlong(readings: Readings): readonly string[] {
  return transactionOf(readings).removes.filter((name) => wantOf(name, readings) !== 'absent');
}

function wantOf(name: string, readings: Readings): unknown {
  const query = readings.get(itemKey(packageFact.fact, name))?.query;
  return query !== undefined && 'want' in query ? query.want : undefined;
}

function packageStatesOf(readings: Readings): readonly PackageState[] {
  return [...readings.values()].flatMap(({ query, state }) =>
    query.fact === packageFact.fact && state !== undefined ? [state as PackageState] : [],
  );
}
