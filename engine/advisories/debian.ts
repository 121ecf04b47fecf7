import type { Advisory } from '../security/advisories.ts';
import type { Member } from './members.ts';

/** What Debian's security tracker says of one source package, by release. */
export type TrackedSource = readonly [
  source: string,
  releases: Readonly<Record<string, readonly Advisory[]>>,
];

/**
 * Of the tracker's JSON (security-tracker.debian.org/tracker/data/json: package, vulnerability, release), what concerns a release. What it
 * calls `undetermined` or `unimportant` is no vulnerability that anybody can act on, and a fix in version 0 means that the release never had it.
 */
export function trackedSource([source, vulnerabilities]: Member): TrackedSource {
  const releases = new Map<string, Advisory[]>();
  for (const [cve, known] of entriesOf(vulnerabilities)) {
    if (!/^CVE-[0-9]{4}-[0-9]{4,}$/.test(cve)) continue;
    for (const [release, state] of entriesOf(propertyOf(known, 'releases'))) {
      const advisory = advisoryOf(cve, state);
      if (advisory === undefined) continue;
      const own = releases.get(release);
      if (own === undefined) releases.set(release, [advisory]);
      else own.push(advisory);
    }
  }
  return [source, Object.fromEntries(releases)];
}

function advisoryOf(cve: string, state: unknown): Advisory | undefined {
  const status = propertyOf(state, 'status');
  const fixed = propertyOf(state, 'fixed_version');
  if (status === 'resolved') return typeof fixed === 'string' && fixed !== '0' ? { cve, fixed } : undefined;
  return status === 'open' && propertyOf(state, 'urgency') !== 'unimportant' ? { cve } : undefined;
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
