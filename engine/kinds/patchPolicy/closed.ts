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
  const listed = updates.flatMap(({ name }) => {
    const own = mended?.packages.get(name);
    return own === undefined ? [] : [own];
  });
  if (listed.length > 0) return closed('list', listed);
  return closed(
    'changelog',
    updates.map(({ cves = [] }) => cves),
  );
}

/**
 * What each of some updates closes, in their order: by the list, if need be by what that says of others of its source, as a package
 * with versions of its own brings what they bring.
 */
export function closedByEach(updates: readonly Closing[], mended: Mended | undefined): readonly Closed[] {
  const bySource = new Map<string, Closing[]>();
  for (const update of updates) {
    const some = bySource.get(update.source);
    if (some === undefined) bySource.set(update.source, [update]);
    else some.push(update);
  }
  const together = new Map<string, Closed>();
  for (const [source, some] of bySource) together.set(source, closedTogether(some, mended));
  return updates.map(({ name, source }) => {
    const own = mended?.packages.get(name);
    return own === undefined ? (together.get(source) ?? NOTHING) : { by: 'list', cves: own };
  });
}

const NOTHING: Closed = { by: 'changelog', cves: [] };

/** Packages of one source share their list, which is gone through once. */
function closed(by: Closed['by'], lists: readonly (readonly string[])[]): Closed {
  return { by, cves: [...new Set([...new Set(lists)].flat())] };
}
