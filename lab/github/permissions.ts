import type { RepoRow, Store, TokenUser } from './rows.ts';
import { covers, grantedTo } from './standing.ts';

export type Permission = 'admin' | 'write' | 'read' | 'none';
/** GitHub's role names, of which the legacy permission knows four levels. */
export type Role = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';

const LEVEL: Readonly<Record<Role, Permission>> = {
  admin: 'admin',
  maintain: 'write',
  write: 'write',
  triage: 'read',
  read: 'read',
  none: 'none',
};

export function levelOf(role: Role): Permission {
  return LEVEL[role];
}

/** The role of a user in a repository; anyone reads a public one. */
export function roleOf(store: Store, adminLogin: string, repo: RepoRow, login: string): Role {
  if (login === adminLogin) return 'admin';
  const user = store.users.findOneBy('login', login);
  if (user === undefined) return 'none';
  if (repo.owner_type === 'User' && repo.owner_id === user.id) return 'admin';
  const collaborator = store.collaborators.findBy('repo_id', repo.id).find((row) => row.user_id === user.id);
  if (collaborator) return roleOfPermission(collaborator.permission);
  return repo.private ? 'none' : 'read';
}

function roleOfPermission(permission: string): Role {
  if (permission === 'push' || permission === 'write') return 'write';
  if (permission === 'admin' || permission === 'maintain' || permission === 'triage') return permission;
  return 'read';
}

/** What a token may do with a repository's contents. */
export function contentsPermission(
  store: Store,
  adminLogin: string,
  repo: RepoRow,
  user: TokenUser | undefined,
): Permission {
  if (user === undefined) return repo.private ? 'none' : 'read';
  if (user.installation === undefined) return levelOf(roleOf(store, adminLogin, repo, user.login));
  const contents = grantedTo(store, user, 'contents');
  if (!covers(store, user, repo)) return repo.private ? 'none' : 'read';
  if (contents === 'write') return 'write';
  return contents === 'read' || !repo.private ? 'read' : 'none';
}
