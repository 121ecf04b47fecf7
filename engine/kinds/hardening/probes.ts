import type { FactQuery } from '../../facts/fact.ts';
import { type ModeState, modeFact } from '../../facts/mode.ts';
import { stateOf } from '../readings.ts';
import type { Probe } from './control.ts';
import { ROOTLESS, ROUTING, wantedOf } from './needers.ts';
import type { Active } from './spec.ts';
import type { View } from './view.ts';

/** Folders and programs that tell whether something is installed. */
const SIGNS = { sudo: '/etc/sudoers.d', cron: '/usr/sbin/cron', at: '/usr/bin/at' } as const;

export function probeNeeds(probe: Probe | undefined): readonly FactQuery[] {
  return probe !== undefined && probe in SIGNS
    ? [{ fact: 'mode', key: SIGNS[probe as keyof typeof SIGNS] }]
    : [];
}

/** Why a control means nothing on the host, without a full stop; undefined where it applies. */
export function unmet(probe: Probe, view: View, active: readonly Active[]): string | undefined {
  const { survey } = view;
  switch (probe) {
    case 'own-kernel':
      return survey.ownKernel
        ? undefined
        : "the kernel is not this host's own: its process 1 is not in the first PID namespace";
    case 'apparmor':
      return survey.appArmor ? undefined : 'the kernel has no AppArmor that this host can set';
    case 'sudo':
    case 'cron':
    case 'at':
      return isThere(SIGNS[probe], view) ? undefined : `${probe} is not installed`;
    case 'nobody-by-key-alone':
      return because(
        keyOnly(view),
        (names) =>
          `${names} can only log in with a key, and an account of that sort would be shut out when its password ends`,
      );
    case 'everybody-has-a-key':
      return (
        because(
          passwordOnly(view, active),
          (names) => `${names} can only log in with a password and would be shut out; give them keys first`,
        ) ??
        because(
          directoriesOf(view),
          (names) =>
            `people may log in with a password that ${names} knows (passwd: in /etc/nsswitch.conf), whom this engine does not see`,
        )
      );
    case 'routes-for-nobody':
      return because(neededBy(probe, view), (names) => `packets are forwarded here for ${names}`);
    case 'single-homed':
      return survey.interfaces.length > 1
        ? `answers may leave by another of its interfaces (${some(survey.interfaces)})`
        : undefined;
    case 'no-router-advertisements':
      return survey.advertised ? 'its IPv6 address or route comes from router advertisements' : undefined;
    case 'no-rootless-namespaces':
      return because(neededBy(probe, view), (names) => `${names} needs user namespaces`);
  }
}

/** What on the host works only without the control: what is there, and what documents bring; each once. */
export function neededBy(
  probe: Probe | undefined,
  { survey, readings }: Pick<View, 'survey' | 'readings'>,
): readonly string[] {
  switch (probe) {
    case 'routes-for-nobody':
      return [...new Set([...survey.routers, ...wantedOf(ROUTING, readings)])];
    case 'no-rootless-namespaces':
      return [...new Set([...survey.namespaceUsers, ...wantedOf(ROOTLESS, readings)])];
    default:
      return [];
  }
}

function isThere(path: string, { readings }: View): boolean {
  const state: ModeState = stateOf(readings, modeFact, path);
  return state.present;
}

function keyOnly(view: View): readonly string[] {
  const anywhere = hasKeysElsewhere(view);
  return view.survey.accounts
    .filter(({ password, keys }) => password === 'locked' && (keys || anywhere))
    .map(({ name }) => name);
}

/** A certificate authority, a command, or a folder outside the homes may let any account in. */
function hasKeysElsewhere({ sshd }: View): boolean {
  if (!sshd.present || 'problem' in sshd) return false;
  const {
    trustedusercakeys = 'none',
    authorizedkeyscommand = 'none',
    authorizedkeysfile = '',
  } = sshd.settings;
  const outside = authorizedkeysfile
    .split(' ')
    .some((path) => path.startsWith('/') && !path.startsWith('/home/'));
  return trustedusercakeys !== 'none' || authorizedkeyscommand !== 'none' || outside;
}

/** Who has no other way in than a password. root is no such account where sshd refuses its password. */
export function passwordOnly(view: View, active: readonly Active[]): readonly string[] {
  return view.survey.accounts
    .filter(
      ({ password, keys, uid }) =>
        !keys && password === 'set' && (uid !== 0 || takesRootsPassword(view, active)),
    )
    .map(({ name }) => name);
}

/** Sources that know no people but those of /etc/passwd, or none who log in; nss-systemd(8), nss-mymachines(8), nss-myhostname(8). */
const LOCAL_SOURCES: readonly string[] = ['files', 'compat', 'systemd', 'mymachines', 'myhostname'];

/** What else knows accounts. Lines of /etc/passwd that begin with + take them from NIS or another source, where `compat` reads them. */
function directoriesOf({ survey }: View): readonly string[] {
  const { userSources = [], found } = survey;
  const plus = userSources.includes('compat') && (found.legacy ?? []).includes('/etc/passwd');
  return userSources.filter((name) => !LOCAL_SOURCES.includes(name) || (plus && name === 'compat'));
}

/** No value of the control for it does. */
function takesRootsPassword({ sshd }: View, active: readonly Active[]): boolean {
  if (active.some(({ wants }) => wants.kind === 'ssh' && wants.keyword === 'PermitRootLogin')) return false;
  return sshd.present && !('problem' in sshd) && sshd.settings.permitrootlogin === 'yes';
}

/** Names shown in a sentence; the rest are counted. */
const NAMES_MAX = 5;

export function because(names: readonly string[], sentence: (names: string) => string): string | undefined {
  return names.length === 0 ? undefined : sentence(some(names));
}

export function some(names: readonly string[]): string {
  const rest = names.length - NAMES_MAX;
  return rest > 0 ? `${names.slice(0, NAMES_MAX).join(', ')} and ${rest} more` : names.join(', ');
}
