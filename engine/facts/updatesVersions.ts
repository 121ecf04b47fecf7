import { FactError } from './fact.ts';
import type {
  Archive,
  AvailableVersion,
  KeptBack,
  OriginMatch,
  PackageChange,
  Update,
  UpdatesQuery,
} from './updates.ts';
import { absolutePath, notUnderstood, number, packageName, text, version, words } from './updatesChecks.ts';
import { isSecurity, releaseFields } from './updatesSelection.ts';
import { fieldsOf, fieldsOnce, type Told } from './updatesTold.ts';

/** By the package's name. */
export type Versions = ReadonlyMap<string, readonly AvailableVersion[]>;

export function versionsIn(told: Told, query: UpdatesQuery): Versions {
  const archives = fieldsOnce(told, 'archive').map((fields) =>
    archiveOf(fields, query.securityOrigins ?? []),
  );
  return versionsOf(told, new Map(archives));
}

export function updatesOf(told: Told, versions: Versions): readonly Update[] {
  const conffiles = byName(told('conffile'), absolutePath);
  const cves = new Map(told('cves').map(cvesOf));
  return fieldsOnce(told, 'update').map((fields) => {
    const [name = '', from = '', to = '', candidate = '', source = '', sourceVersion = ''] = fields;
    const [state = '', previous = ''] = fields.slice(6);
    const available = versions.get(name) ?? [];
    const closed = cves.get(words(source));
    return {
      name: packageName(name),
      from: version(from),
      to: version(to),
      candidate: version(candidate),
      source: words(source),
      sourceVersion: words(sourceVersion),
      state: stateOf(state),
      previous: previousOf(previous),
      security: available.some((one) => one.archives.some((archive) => archive.security)),
      versions: available,
      ...(closed === undefined ? {} : { cves: closed }),
      conffiles: conffiles.get(name) ?? [],
    };
  });
}

function archiveOf(
  [index = '', uri = '', place = '', release = '']: readonly string[],
  securityOrigins: readonly OriginMatch[],
): readonly [string, Archive] {
  const fields = releaseFields(release);
  return [
    index,
    {
      uri: words(uri),
      place: words(place),
      origin: words(fields.origin),
      label: words(fields.label),
      suite: words(fields.suite),
      codename: words(fields.codename),
      security: isSecurity(release, fields, securityOrigins),
    },
  ];
}

/** apt names a version twice where two archives built it differently. */
function versionsOf(told: Told, archives: ReadonlyMap<string, Archive>): Versions {
  const places = new Map<string, Map<string, Set<Archive>>>();
  const placesOf = (name: string): Map<string, Set<Archive>> => {
    const known = places.get(name) ?? new Map<string, Set<Archive>>();
    places.set(name, known);
    return known;
  };
  for (const line of told('version')) {
    const [name = '', of = ''] = fieldsOf(line);
    const known = placesOf(name);
    if (!known.has(of)) known.set(version(of), new Set());
  }
  for (const line of told('of')) {
    const [name = '', of = '', index = ''] = fieldsOf(line);
    const archive = archives.get(index);
    if (archive === undefined) throw notUnderstood(line);
    places.get(name)?.get(of)?.add(archive);
  }
  return new Map(
    [...places].map(([name, known]) => [
      name,
      [...known].map(([of, here]) => ({ version: of, archives: [...here] })),
    ]),
  );
}

/** Of one source; updatesScript.ts tells no more. */
const CVES_MAX = 200;

/** Text of a package: whatever is no id is left out. */
function cvesOf(line: string): readonly [string, readonly string[]] {
  const [source = '', ids = ''] = fieldsOf(line);
  const told = ids.split(' ', CVES_MAX);
  return [words(source), [...new Set(told.filter((id) => /^CVE-\d{4}-\d{4,7}$/.test(id)))].sort()];
}

function byName(
  pairs: readonly string[],
  checked: (value: string) => string,
): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  for (const line of pairs) {
    const [name = '', value = ''] = line.split('\t');
    const all = map.get(name) ?? [];
    all.push(checked(value));
    map.set(name, all);
  }
  return map;
}

/** Each of them stands in the plan, and is an item of its step. */
const CHANGES_MAX = 2_000;

export function changesOf(told: Told, versions: Versions): readonly PackageChange[] {
  const count = told('change').length;
  if (count > CHANGES_MAX)
    throw new FactError(
      `the host told of ${count} packages that its apt would update at once; at most ${CHANGES_MAX} are planned, so update some of them by hand first`,
    );
  const sizes = new Map(
    told('size').map((line) => {
      const [name = '', of = '', ...rest] = line.split('\t');
      return [`${name}\t${of}`, rest] as const;
    }),
  );
  return fieldsOnce(told, 'change').map(([name = '', from = '', to = '']) => {
    const [download = '0', installed = '0', before = '0', cached] = sizes.get(`${name}\t${to}`) ?? [];
    const at = versions.get(name)?.find((one) => one.version === to);
    return {
      name: packageName(name),
      ...(from === '-' ? {} : { from: version(from) }),
      ...(from === '-' && at !== undefined ? { archives: at.archives } : {}),
      to: version(to),
      downloadBytes: cached === 'yes' ? 0 : number(download),
      installedBytes: number(installed) * 1024,
      installedBytesBefore: number(before) * 1024,
    };
  });
}

/** Selected, yet not among the changes. */
export function keptBackOf(
  told: Told,
  updates: readonly Update[],
  changes: readonly PackageChange[],
): readonly KeptBack[] {
  const becomes = new Map(changes.map((change) => [change.name, change.to]));
  const whys = new Map(
    told('kept')
      .map(fieldsOf)
      .map(([name = '', why = '']) => [name, why]),
  );
  return updates
    .filter(({ state, name, to }) => state === 'selected' && becomes.get(name) !== to)
    .map(({ name, to }) => ({ name, to, why: text(whys.get(name) ?? '') }));
}

function previousOf(word: string): Update['previous'] {
  if (word === 'archive' || word === 'cache' || word === 'gone') return word;
  throw notUnderstood(word);
}

const STATES = ['selected', 'held', 'excluded', 'other', 'asked'] as const;

function stateOf(state: string): Update['state'] {
  const known = STATES.find((one) => one === state);
  if (known === undefined) throw notUnderstood(state);
  return known;
}
