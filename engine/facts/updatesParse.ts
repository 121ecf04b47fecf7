import { informational } from './accounts.ts';
import { FactError } from './fact.ts';
import type {
  Archive,
  AvailableVersion,
  FileSystem,
  OriginMatch,
  PackageChange,
  Reboot,
  Restarts,
  Shortage,
  Update,
  UpdatesQuery,
  UpdatesState,
} from './updates.ts';
import {
  absolutePath,
  notUnderstood,
  number,
  packageName,
  text,
  unitName,
  version,
} from './updatesChecks.ts';
import { isSecurity } from './updatesSelection.ts';

/** Things of one sort that are read; a host that lies could tell more. */
const LINES_MAX = 20_000;

/** Of our own runs, which end by themselves; also an extended regular expression. */
export const OWN_UNITS = /^doaas-.*-(apply|undo|undo-late|net-[a-z]+|boot)[.]service$/;

/** Of a program's name. Characters. */
const PROGRAM_MAX = 64;

/** What needrestart itself leaves alone (`override_rc` of its configuration as Debian ships it), and more that runs containers: it knows docker only. */
export const DEFERRED =
  /^(dbus|gdm|kdm|nodm|sddm|wdm|xdm|lightdm|slim|lxdm|bird|network|NetworkManager|ModemManager|wpa_supplicant|openvpn|quagga|frr|tinc|(open|free|libre|strong)swan|bluetooth|getty@|serial-getty@|user@|zfs-fuse|mythtv-backend|xendomains|lxcfs|libvirt|virtlogd|virtlockd|docker|containerd|podman|crio|k3s|rke2|lxc|systemd-user$|emergency\.|rescue\.|elogind|apt-daily|unattended-upgrades|cron-|rc-local\.|systemd-logind)/;

export function parseUpdates(output: readonly string[], query: UpdatesQuery): UpdatesState {
  const [type] = output;
  if (type !== 'apt' && type !== 'absent')
    throw new FactError('the host answered a state of its updates that is not understood');
  const told = collect(output);
  const versions = versionsIn(told, query);
  const updates = updatesOf(told, versions);
  const changes = changesOf(told, versions);
  const becomes = new Map(changes.map((change) => [change.name, change.to]));
  const unknown = (query.services ?? []).filter((name) => told('no-service').includes(name));
  const age = informational(output, 'lists');
  const release = /^[a-z]{1,32}$/.exec(informational(output, 'release') ?? '')?.[0];
  return {
    present: type === 'apt',
    ...(release === undefined ? {} : { release }),
    ...problem('dpkgProblem', told),
    ...problem('aptProblem', told),
    locks: told('lock').map(lockOf),
    ...(age === undefined ? {} : { listsAgeSeconds: number(age) }),
    updates,
    changes,
    keptBack: updates
      .filter(({ state, name, to }) => state === 'selected' && becomes.get(name) !== to)
      .map(({ name, to }) => ({ name, to, why: whyKept(told, name) })),
    disk: told('free').map(fileSystemOf),
    shortages: told('short').map(shortageOf),
    restarts: restartsOf(told),
    reboot: rebootOf(told),
    failedUnits: told('failed').map(unitName),
    ...(told('unattended').length === 0 ? {} : { unattended: true as const }),
    ...(unknown.length === 0 ? {} : { unknownServices: unknown }),
  };
}

/** Rest of each line `~ NAME ...`. */
type Told = (name: string) => readonly string[];

function collect(output: readonly string[]): Told {
  const byName = new Map<string, string[]>();
  for (const line of output) {
    const found = /^~ ([a-z-]+)(?: (.*))?$/.exec(line);
    if (found === null) continue;
    const [, name = '', rest = ''] = found;
    const all = byName.get(name) ?? [];
    if (all.length >= LINES_MAX)
      throw new FactError(`the host told more than ${LINES_MAX} things of one sort about its updates`);
    all.push(rest);
    byName.set(name, all);
  }
  return (name) => byName.get(name) ?? [];
}

/** By the package's name. */
type Versions = ReadonlyMap<string, readonly AvailableVersion[]>;

function versionsIn(told: Told, query: UpdatesQuery): Versions {
  const archives = told('archive').map((line) => archiveOf(line, query.securityOrigins ?? []));
  return versionsOf(told, new Map(archives));
}

function updatesOf(told: Told, versions: Versions): readonly Update[] {
  const conffiles = byName(told('conffile'), absolutePath);
  const cves = new Map(told('cves').map(cvesOf));
  return told('update').map((line) => {
    const [
      name = '',
      from = '',
      to = '',
      candidate = '',
      source = '',
      sourceVersion = '',
      state = '',
      previous = '',
    ] = line.split('\t');
    const available = versions.get(name) ?? [];
    const closed = cves.get(source);
    return {
      name: packageName(name),
      from: version(from),
      to: version(to),
      candidate: version(candidate),
      source,
      sourceVersion,
      state: stateOf(state),
      previous: previousOf(previous),
      security: available.some((one) => one.archives.some((archive) => archive.security)),
      versions: available,
      ...(closed === undefined ? {} : { cves: closed }),
      conffiles: conffiles.get(name) ?? [],
    };
  });
}

function archiveOf(line: string, securityOrigins: readonly OriginMatch[]): readonly [string, Archive] {
  const [index = '', uri = '', place = '', release = ''] = line.split('\t');
  // a value may hold a comma, so a field begins only at a letter and an equals sign
  const field = (letter: string) =>
    new RegExp(`(?:^|,)${letter}=(.*?)(?=,[a-z]=|$)`).exec(release)?.[1] ?? '';
  const fields = { origin: field('o'), label: field('l'), suite: field('a'), codename: field('n') };
  return [index, { uri, place, ...fields, security: isSecurity(release, fields, securityOrigins) }];
}

function versionsOf(told: Told, archives: ReadonlyMap<string, Archive>): Versions {
  const places = new Map<string, Archive[]>();
  for (const line of told('of')) {
    const [name = '', of = '', index = ''] = line.split('\t');
    const archive = archives.get(index);
    if (archive === undefined) throw notUnderstood(line);
    const key = `${name}\t${of}`;
    places.set(key, [...(places.get(key) ?? []), archive]);
  }
  const versions = new Map<string, AvailableVersion[]>();
  for (const line of told('version')) {
    const [name = '', of = ''] = line.split('\t');
    const all = versions.get(name) ?? [];
    all.push({ version: version(of), archives: places.get(`${name}\t${of}`) ?? [] });
    versions.set(name, all);
  }
  return versions;
}

/** Text of a package: whatever is no id is left out. */
function cvesOf(line: string): readonly [string, readonly string[]] {
  const [source = '', ids = ''] = line.split('\t');
  return [source, [...new Set(ids.split(' ').filter((id) => /^CVE-\d{4}-\d{4,7}$/.test(id)))].sort()];
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

function changesOf(told: Told, versions: Versions): readonly PackageChange[] {
  const sizes = new Map(
    told('size').map((line) => {
      const [name = '', of = '', ...rest] = line.split('\t');
      return [`${name}\t${of}`, rest] as const;
    }),
  );
  return told('change').map((line) => {
    const [name = '', from = '', to = ''] = line.split('\t');
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

function whyKept(told: Told, name: string): string {
  const line = told('kept').find((one) => one.startsWith(`${name}\t`));
  return line === undefined ? '' : text(line.slice(name.length + 1));
}

function restartsOf(told: Told): Restarts {
  const [kind = '', of = ''] = (told('needrestart')[0] ?? '').split(' ');
  switch (kind) {
    case 'ran':
      return knownRestarts(of, (name) => [
        ...new Set(
          told(name)
            .map(unitName)
            .filter((unit) => !OWN_UNITS.test(unit)),
        ),
      ]);
    case 'vulnerable':
    case 'failed':
      return { kind, version: of };
    default:
      return { kind: 'absent' };
  }
}

function knownRestarts(version: string, told: Told): Restarts {
  const [named, leftovers, oneshots] = [told('restart'), told('leftover'), told('oneshot')];
  return {
    kind: 'known',
    version,
    units: named.filter((unit) => !DEFERRED.test(unit)),
    deferred: named.filter((unit) => DEFERRED.test(unit)),
    ...(leftovers.length === 0 ? {} : { leftovers }),
    ...(oneshots.length === 0 ? {} : { oneshots }),
  };
}

function rebootOf(told: Told): Reboot {
  const kernelRunning = told('kernel')[0] ?? '';
  const [installed] = told('kernel-installed');
  const older =
    installed !== undefined && installed !== kernelRunning && told('kernel-own').length > 0
      ? [`kernel ${installed} is installed, ${kernelRunning} runs`]
      : [];
  const packages = told('reboot-for');
  const asked = told('reboot').length > 0 && packages.length === 0 ? ['/run/reboot-required'] : packages;
  return {
    required: told('reboot').length > 0 || older.length > 0,
    why: [...asked, ...older],
    kernelRunning,
    ...(installed === undefined ? {} : { kernelInstalled: installed }),
    initrdBytes: number(told('initrd')[0] ?? '0'),
  };
}

function problem<N extends 'dpkgProblem' | 'aptProblem'>(
  name: N,
  told: Told,
): { readonly [K in N]?: string } {
  const [found] = told(name === 'dpkgProblem' ? 'dpkg-problem' : 'apt-problem');
  return (found === undefined ? {} : { [name]: text(found) }) as { readonly [K in N]?: string };
}

function lockOf(line: string): { readonly pid: number; readonly program: string } {
  const [pid = '', ...program] = line.split(' ');
  return { pid: number(pid), program: program.join(' ').slice(0, PROGRAM_MAX) };
}

function fileSystemOf(line: string): FileSystem {
  const [path = '', free = '', mount = ''] = line.split('\t');
  return { path, mount, freeBytes: number(free) };
}

function shortageOf(line: string): Shortage {
  const [mount = '', need = '', free = ''] = line.split('\t');
  return { mount, needBytes: number(need), freeBytes: number(free) };
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
