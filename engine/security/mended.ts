import { itemKey, type Reading, type Readings } from '../facts/fact.ts';
import { type Update, type UpdatesState, updatesFact } from '../facts/updates.ts';
import type { Mended } from '../kinds/kind.ts';
import { type Advisories, closedBy, trackedSource, withoutRebuild } from './advisories.ts';

/** Source packages, as advisories name them, of what is outstanding on a host; none where its updates were not read. */
export function outstandingSources(readings: Readings): readonly string[] {
  return outstanding(readings).updates.map(({ source }) => tracked(source));
}

/**
 * What the outstanding updates of a host close. Left out is a package that the list knows nothing of for the host's release, or whose
 * versions are not those of its source, which the list has.
 */
export function mendedOn(readings: Readings, advisories: Advisories): Mended {
  const { release = '', updates } = outstanding(readings);
  const known = updates.filter(
    (update) =>
      advisories.sources.get(tracked(update.source))?.[release] !== undefined && hasVersionOfSource(update),
  );
  const { from, date } = advisories;
  return {
    from,
    date,
    packages: new Map(known.map((update) => [update.name, closedBy(update, release, advisories)])),
  };
}

/** bsdutils 1:2.38.1-5+deb12u3 is of util-linux 2.38.1-5+deb12u3. */
function hasVersionOfSource({ source, from, sourceVersion }: Update): boolean {
  return withoutRebuild(from) === trackedSource({ source, version: sourceVersion }).version;
}

function tracked(source: string): string {
  return trackedSource({ source, version: '0' }).source;
}

function outstanding(readings: Readings): Pick<UpdatesState, 'release' | 'updates'> {
  const reading = readings.get(itemKey(updatesFact.fact, 'all')) as Reading<UpdatesState> | undefined;
  return reading?.state ?? { updates: [] };
}
