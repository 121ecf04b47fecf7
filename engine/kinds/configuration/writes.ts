import { isIPv6 } from 'node:net';
import { repositoryPaths } from '../../facts/aptRepository.ts';
import { type ItemKey, itemKey, splitItemKey } from '../../facts/fact.ts';
import { sysctlFile } from '../../facts/sysctl.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import { childPointer } from '../../spec/pointer.ts';
import type { Claim } from '../kind.ts';
import { UNIT_FOLDER } from './claims.ts';

const ACCOUNT_FILES = ['/etc/passwd', '/etc/shadow', '/etc/group', '/etc/gshadow'] as const;

/** Files that an item which is no path writes too; nobody else may write them whole, move or remove them. */
export function writtenPaths(item: ItemKey, spec: ResolvedConfiguration): readonly string[] {
  const { fact, key } = splitItemKey(item);
  switch (fact) {
    case 'hosts-entry':
      return ['/etc/hosts'];
    case 'timezone':
      return ['/etc/localtime', '/etc/timezone'];
    case 'locale':
      return ['/etc/default/locale', '/etc/locale.conf'];
    case 'sysctl':
      return [sysctlFile(key)];
    case 'apt-repository':
      return Object.values(repositoryPaths(key));
    case 'user':
    case 'group':
      return ACCOUNT_FILES;
    case 'authorized-keys':
      return [`${homeOf(key, spec)}/.ssh/authorized_keys`];
    case 'unit': // Its text is a claim of its own; a file may bring the text of one that only runs.
      return spec.units[key]?.state === 'absent' ? [`${UNIT_FOLDER}/${key}`] : [];
    default:
      return [];
  }
}

/** As far as the document tells; on a host that has the user it may be another. */
function homeOf(name: string, { users }: ResolvedConfiguration): string {
  const user = users[name];
  const own = user?.state === 'present' ? user.home : undefined;
  return own ?? (name === 'root' ? '/root' : `/home/${name}`);
}

/** Numbers that two users or two groups of one host cannot share. */
export function idClaims({ users, groups }: ResolvedConfiguration): readonly Claim[] {
  const uids = Object.entries(users).flatMap(([name, user]) =>
    user.state === 'present' && user.uid !== undefined ? [idClaim('uid', user.uid, 'users', name)] : [],
  );
  const gids = Object.entries(groups).flatMap(([name, group]) =>
    group.state === 'present' && group.gid !== undefined ? [idClaim('gid', group.gid, 'groups', name)] : [],
  );
  return [...uids, ...gids];
}

function idClaim(fact: 'uid' | 'gid', id: number, section: string, name: string): Claim {
  return {
    item: itemKey(fact, String(id)),
    pointer: `${childPointer(childPointer('', section), name)}/${fact}`,
  };
}

/** Folders that are links on every supported Debian (merged /usr; /run). */
const LINKED_FOLDERS: readonly (readonly [string, string])[] = [
  ...['bin', 'sbin', 'lib', 'lib32', 'lib64'].map((name) => [`/${name}/`, `/usr/${name}/`] as const),
  ['/var/run/', '/run/'],
  ['/var/lock/', '/run/lock/'],
];

/** One name for what has several: a path through a linked folder, an IPv6 address. */
export function canonicalItem(item: ItemKey): ItemKey {
  const { fact, key } = splitItemKey(item);
  if (fact === 'path') return itemKey(fact, canonicalPath(key));
  if (fact === 'hosts-entry' && isIPv6(key)) return itemKey(fact, new URL(`http://[${key}]/`).hostname);
  return item;
}

function canonicalPath(path: string): string {
  const [from, to] = LINKED_FOLDERS.find(([folder]) => path.startsWith(folder)) ?? ['', ''];
  return `${to}${path.slice(from.length)}`;
}
