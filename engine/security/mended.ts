import { itemKey, type Reading, type Readings } from '../facts/fact.ts';
import { type UpdatesState, updatesFact } from '../facts/updates.ts';
import type { Mended } from '../kinds/kind.ts';
import { type Advisories, closedBy, trackedSource } from './advisories.ts';

/** Source packages, as advisories name them, of what is outstanding on a host; none where its updates were not read. */
export function outstandingSources(readings: Readings): readonly string[] {
  return outstanding(readings).updates.map(({ source }) => tracked(source));
}

/** What the outstanding updates of a host close; a package that the list knows nothing of for the host's release is left out. */
export function mendedOn(readings: Readings, advisories: Advisories): Mended {
  const { release = '', updates } = outstanding(readings);
  const known = updates.filter(
    ({ source }) => advisories.sources.get(tracked(source))?.[release] !== undefined,
  );
  const { from, date } = advisories;
  return {
    from,
    date,
    packages: new Map(known.map((update) => [update.name, closedBy(update, release, advisories)])),
  };
}

function tracked(source: string): string {
  return trackedSource({ source, version: '0' }).source;
}

function outstanding(readings: Readings): Pick<UpdatesState, 'release' | 'updates'> {
  const reading = readings.get(itemKey(updatesFact.fact, 'all')) as Reading<UpdatesState> | undefined;
  return reading?.state ?? { updates: [] };
}
