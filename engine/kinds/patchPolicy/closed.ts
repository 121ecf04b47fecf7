import type { Mended } from '../kind.ts';

/** What is asked of an update to tell what it closes. */
export interface Closing {
  readonly name: string;
  readonly source: string;
  /** CVE ids that its changelog names since the installed version; left out where nobody read it. */
  readonly cves?: readonly string[];
}

/** CVE ids, each once. */
export interface Closed {
  readonly by: 'list' | 'changelog';
  readonly cves: readonly string[];
}

/** By the list of vulnerabilities where it knows these packages of one source, else by what was read of their changelogs. */
export function closedTogether(updates: readonly Closing[], mended: Mended | undefined): Closed {
  const listed = updates.flatMap(({ name }) => mended?.packages.get(name) ?? []);
  if (updates.some(({ name }) => mended?.packages.has(name) === true)) return closed('list', listed);
  return closed(
    'changelog',
    updates.flatMap(({ cves = [] }) => cves),
  );
}

/**
 * What one of some updates closes: by the list, if need be by what that says of others of its source, as a package with versions of
 * its own brings what they bring.
 */
export function closedByOne(
  update: Omit<Closing, 'cves'>,
  updates: readonly Closing[],
  mended: Mended | undefined,
): Closed {
  const own = mended?.packages.get(update.name);
  if (own !== undefined) return closed('list', own);
  return closedTogether(
    updates.filter(({ source }) => source === update.source),
    mended,
  );
}

function closed(by: Closed['by'], cves: readonly string[]): Closed {
  return { by, cves: [...new Set(cves)] };
}
