import { type ItemKey, splitItemKey } from '../facts/fact.ts';
import type { Step } from '../plan/step.ts';
import { operationNamed } from './registry.ts';
import { runScript } from './userScript.ts';

/** Files by which people and the engine log in, become root, or are reached. A folder stands for all below it. */
const PATHS: readonly RegExp[] = [
  /^\/etc\/(ssh|pam\.d|security|sudoers\.d|nftables\.d|network|netplan|NetworkManager|ufw|firewalld|iptables|fail2ban)(\/|$)/,
  /^\/etc\/(pam\.conf|sudoers|sudo\.conf|nftables\.conf|nsswitch\.conf|resolv\.conf|hosts\.allow|hosts\.deny|login\.defs)$/,
  /^\/etc\/(nologin|shells|environment|profile|bash\.bashrc|securetty|ld\.so\.preload|ld\.so\.conf|fstab)$/,
  /^\/etc\/(profile\.d|ld\.so\.conf\.d|default)(\/|$)/,
  /^\/etc\/(passwd|shadow|group|gshadow)$/,
  /^\/etc\/systemd\/(network|resolved\.conf\.d)(\/|$)/,
  /^\/(run|var\/run)\/nologin$/,
  /^\/etc\/sysctl\.(conf$|d\/)/,
  /^\/(etc|usr|bin|sbin|lib|lib64|home|root|var|run)$/,
  /^\/usr\/(bin|sbin|lib)$/,
  /^\/(usr\/)?s?bin\/(sh|bash|dash|zsh|fish|nologin|login|su|sudo|sshd)$/,
  // a home folder, and what a login reads there
  /^\/home\/[^/]+$/,
  /^\/(home\/[^/]+|root)\/(\.ssh(\/|$)|\.profile$|\.bash(rc|_profile|_login)$|\.zshenv$)/,
];

/** Of a unit, whatever its type. Also in the names of its files below /etc/systemd/system. */
const UNITS =
  /^(ssh|sshd|nftables|networking|systemd-networkd|systemd-resolved|systemd-logind|NetworkManager|wpa_supplicant|dhcpcd|ifup|fail2ban|sshguard|ufw|firewalld|netfilter-persistent|iptables|ip6tables|shorewall|dbus|sssd|nscd|nslcd|systemd-user-sessions)[@.-]/;

const UNIT_FILES = /^\/(?:etc|usr\/lib|lib)\/systemd\/system\/(.+)/;

const PACKAGES =
  /^(openssh-server|openssh-sftp-server|sudo|sudo-ldap|libpam.*|libnss.*|login|passwd|nftables|iptables.*|ufw|firewalld|shorewall.*|fail2ban|sshguard|ifupdown.*|network-manager|netplan.*|netbase|isc-dhcp-client|dhcpcd.*|systemd.*|dbus.*|libc6|bash|dash|sssd.*|nslcd|wpasupplicant)$/;

/**
 * Words of a script that is about a way in. What the programs that it calls do, nobody can read; and what merely looks like one
 * of these costs no more than a login.
 */
const WORDS =
  /(^|[^\w-])(sshd?|sshd?_config|sudo|sudoers|visudo|pam|pam-auth-update|nft|nftables(?!-)|ip6?tables(-\w+)?|ufw|firewall-cmd|firewalld|fail2ban(-client)?|(user|group)(add|mod|del)|(add|del)(user|group)|passwd|chpasswd|chage|gpasswd|vipw|authorized_keys|nologin|login\.defs|hosts\.(allow|deny)|ifup|ifdown|ifconfig|ip\s+(-\w+\s+)*(l|a|r|ru)\w*|route|networkctl|nmcli|netplan|networking|systemd-(networkd|resolved|logind)|NetworkManager|net[./]ipv[46]|\/etc\/(passwd|shadow|group|gshadow|network|security|nsswitch\.conf)|\.ssh|\/(home\/[\w.-]+|root)\/?(?=["'\s;&|)]|$))(?![\w-])/;

/**
 * Whether a step can shut people or the engine out. By item, so that whatever kind plans it, it is held. Who is new on the host
 * cannot be shut out of it: a user or group that is not there yet endangers nobody.
 */
export function endangersAccess(step: Step): boolean {
  const { endangersAccess, items } = operationNamed(step.operation);
  if (step.operation === 'item.forget') return false;
  if (endangersAccess === true) return true;
  if (step.operation === runScript.operation) return textsOf(step).some((text) => WORDS.test(text));
  const { unit, units } = step.params;
  if (
    [unit, ...(Array.isArray(units) ? units : [])].some(
      (name) => typeof name === 'string' && UNITS.test(name),
    )
  )
    return true;
  return items(step.params).some((item) => endangers(item, step.absent.includes(item)));
}

function textsOf({ params: { check, apply, undo } }: Step): readonly string[] {
  return [check, apply, undo].filter((text) => typeof text === 'string');
}

function endangers(item: ItemKey, isNew: boolean): boolean {
  const { fact, key } = splitItemKey(item);
  switch (fact) {
    case 'path':
    case 'mode':
      return PATHS.some((path) => path.test(key)) || ofUnit(key);
    case 'user':
    case 'group':
    case 'authorized-keys':
      return !isNew;
    case 'sysctl':
      return /^net[./]/.test(key);
    case 'unit':
      return UNITS.test(key);
    case 'package':
      return PACKAGES.test(key);
    case 'firewall':
    case 'pam-profile':
    case 'homes':
      return true;
    default:
      return false;
  }
}

/** Its text, a drop-in of it, or a link that enables it. */
function ofUnit(path: string): boolean {
  return (UNIT_FILES.exec(path)?.[1] ?? '').split('/').some((part) => UNITS.test(part));
}
