import { itemKey, type Reading, type Readings } from '../facts/fact.ts';
import { type Update, type UpdatesState, updatesFact } from '../facts/updates.ts';
import type { Mended } from '../kinds/kind.ts';
import {
  type Advisories,
  closedBy,
  isListed,
  trackedName,
  trackedSource,
  withoutRebuild,
} from './advisories.ts';

/** Source packages, as advisories name them, of what is outstanding on a host; none where its updates were not read. */
export function outstandingSources(readings: Readings): readonly string[] {
  return outstanding(readings).updates.map(({ source }) => trackedName(source));
}

/** `sourceVersion`: of what is installed; left out where nobody asked for it. */
type Versions = Pick<Update, 'name' | 'source' | 'from' | 'to'> & Partial<Pick<Update, 'sourceVersion'>>;

/** Pairs of versions that packages of one source go from and to: each is compared with all that the list says of the source. */
const WAYS_MAX = 4;

/**
 * What outstanding updates of a host close. Left out is a package that the list knows nothing of for the host's release, or whose
 * versions are not those of its source, which the list has, or are of more than `WAYS_MAX` pairs.
 */
export function mendedBy(updates: readonly Versions[], release: string, advisories: Advisories): Mended {
  const known = updates.filter(
    (update) => isListed(update.source, release, advisories) && hasVersionOfSource(update),
  );
  const ways = new Map<string, Map<string, readonly string[]>>();
  const packages = new Map<string, readonly string[]>();
  for (const update of known) {
    const source = trackedName(update.source);
    const ofSource = ways.get(source) ?? new Map<string, readonly string[]>();
    ways.set(source, ofSource);
    const way = `${update.from} ${update.to}`;
    if (!ofSource.has(way) && ofSource.size >= WAYS_MAX) continue;
    const cves = ofSource.get(way) ?? closedBy(update, release, advisories);
    ofSource.set(way, cves);
    packages.set(update.name, cves);
  }
  const { from, date } = advisories;
  return { from, date, packages };
}

/** The same of all that a host has outstanding, as it was read for a plan. */
export function mendedOn(readings: Readings, advisories: Advisories): Mended {
  const { release = '', updates } = outstanding(readings);
  return mendedBy(updates, release, advisories);
}

/** bsdutils 1:2.38.1-5+deb12u3 is of util-linux 2.38.1-5+deb12u3. */
function hasVersionOfSource({ source, from, sourceVersion }: Versions): boolean {
  return (
    sourceVersion !== undefined &&
    withoutRebuild(from) === trackedSource({ source, version: sourceVersion }).version
  );
}

function outstanding(readings: Readings): Pick<UpdatesState, 'release' | 'updates'> {
  const reading = readings.get(itemKey(updatesFact.fact, 'all')) as Reading<UpdatesState> | undefined;
  return reading?.state ?? { updates: [] };
}
