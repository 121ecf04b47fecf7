import { informational } from './accounts.ts';
import { FactError } from './fact.ts';
import type { FileSystem, Reboot, Restarts, Shortage, UpdatesQuery, UpdatesState } from './updates.ts';
import { number, text, unitName, words } from './updatesChecks.ts';
import { sourcesOf } from './updatesSources.ts';
import { collect, type Told } from './updatesTold.ts';
import { changesOf, keptBackOf, updatesOf, versionsIn } from './updatesVersions.ts';

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
  const none = new Set(told('no-service'));
  const unknown = (query.services ?? []).filter((name) => none.has(name));
  const age = informational(output, 'lists');
  const release = /^[a-z]{1,32}$/.exec(informational(output, 'release') ?? '')?.[0];
  return {
    present: type === 'apt',
    ...(release === undefined ? {} : { release }),
    ...problem('dpkgProblem', told),
    ...problem('aptProblem', told),
    locks: told('lock').map(lockOf),
    ...(age === undefined ? {} : { listsAgeSeconds: number(age) }),
    ...sourcesOf(told, query),
    updates,
    changes,
    keptBack: keptBackOf(told, updates, changes),
    disk: told('free').map(fileSystemOf),
    shortages: told('short').map(shortageOf),
    restarts: restartsOf(told),
    reboot: rebootOf(told),
    failedUnits: told('failed').map(unitName),
    ...(told('unattended').length === 0 ? {} : { unattended: true as const }),
    ...(unknown.length === 0 ? {} : { unknownServices: unknown }),
  };
}

function restartsOf(told: Told): Restarts {
  const [kind = '', of = ''] = words(told('needrestart')[0] ?? '').split(' ');
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
  const kernelRunning = words(told('kernel')[0] ?? '');
  const [installed] = told('kernel-installed').map(words);
  const older =
    installed !== undefined && installed !== kernelRunning && told('kernel-own').length > 0
      ? [`kernel ${installed} is installed, ${kernelRunning} runs`]
      : [];
  const packages = told('reboot-for').map(words);
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
  return { path: words(path), mount: words(mount), freeBytes: number(free) };
}

function shortageOf(line: string): Shortage {
  const [mount = '', need = '', free = ''] = line.split('\t');
  return { mount: words(mount), needBytes: number(need), freeBytes: number(free) };
}
