import { answer, problem } from './answers.ts';
import type { ApiAnswer, ApiCall, LabContext } from './context.ts';
import type { InstallationRow, RepoRow, Store, TokenUser } from './rows.ts';

/**
 * What a repository's and an installation's standing make of a request, as GitHub documents it: redirects after a rename or a transfer
 * ("Follow redirects" in its best practices for the REST API), read-only archives, suspended and removed installations.
 */

export const ARCHIVED = 'Repository was archived so is read-only.';
const NOT_ACCESSIBLE = 'Resource not accessible by integration';
export const SUSPENDED = 'This installation has been suspended';

/** The installation of the App that covers a repository. */
export function installationOf(
  store: Store,
  repo: Pick<RepoRow, 'owner_id' | 'owner_type' | 'without_app'> | undefined,
): InstallationRow | undefined {
  if (repo?.without_app === true) return undefined;
  return store.appInstallations
    .all()
    .find((row) => row.account_id === repo?.owner_id && row.account_type === repo?.owner_type);
}

export function isSuspended(store: Store, user: TokenUser | undefined): boolean {
  const id = user?.installation?.installationId;
  const row = id === undefined ? undefined : store.appInstallations.findOneBy('installation_id', id);
  return row !== undefined && row.suspended_at !== null;
}

/** The refusal of a request for the whole of an installation; undefined for all others. */
export function refusedToInstallation(
  { store }: LabContext,
  call: ApiCall,
  user: TokenUser | undefined,
): ApiAnswer | undefined {
  if (isSuspended(store, user)) return problem(403, SUSPENDED);
  const wanted = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(call.path.split('?')[0] ?? '');
  const row =
    wanted === null ? undefined : store.appInstallations.findOneBy('installation_id', Number(wanted[1]));
  return row !== undefined && row.suspended_at !== null ? problem(403, SUSPENDED) : undefined;
}

/** `/repositories/ID/...`, to which GitHub leads from a former name, as `/repos/OWNER/NAME/...`. */
export function byName({ store }: LabContext, call: ApiCall): ApiCall {
  const found = /^\/repositories\/(\d+)(.*)$/.exec(call.path);
  const repo = found === null ? undefined : store.repos.get(Number(found[1]));
  return found === null || repo === undefined
    ? call
    : { ...call, path: `/repos/${repo.full_name}${found[2]}` };
}

/** 301 for reading and 307 for writing, to the repository's own address. */
export function redirected(context: LabContext, call: ApiCall): ApiAnswer | undefined {
  const found = /^\/repos\/([^/]+\/[^/?]+)(.*)$/.exec(call.path);
  const id = found === null ? undefined : movedTo(context, decodeURIComponent(found[1] ?? ''))?.id;
  if (found === null || id === undefined) return undefined;
  const url = `${context.baseUrl}/repositories/${id}${found[2]}`;
  const status = call.method === 'GET' || call.method === 'HEAD' ? 301 : 307;
  const message = status === 301 ? 'Moved Permanently' : 'Temporary Redirect';
  return answer(
    status,
    { message, url, documentation_url: 'https://docs.github.com/rest' },
    { location: url },
  );
}

/** The repository that had this name, while nobody else has it. */
export function movedTo({ store, state }: LabContext, fullName: string): RepoRow | undefined {
  const id = state.formerNames.get(fullName.toLowerCase());
  if (id === undefined || store.repos.findOneBy('full_name', fullName) !== undefined) return undefined;
  return store.repos.get(id);
}

/** What is refused on one repository whatever it is: writes to an archive, and what the installation does not cover or may not do. */
export function refusedOn(
  { store }: LabContext,
  call: ApiCall,
  repo: RepoRow,
  user: TokenUser | undefined,
): ApiAnswer | undefined {
  const reads = call.method === 'GET' || call.method === 'HEAD';
  if (user?.installation !== undefined && !covers(store, user, repo)) {
    if (repo.private) return problem(404, 'Not Found');
    if (!reads) return problem(403, NOT_ACCESSIBLE);
  }
  if (user?.installation !== undefined && (repo.private || !reads) && !isGranted(store, call, user))
    return problem(403, NOT_ACCESSIBLE);
  return repo.archived && !reads ? problem(403, ARCHIVED) : undefined;
}

/** "Permissions required for GitHub Apps", as far as the engine uses them; any one of those named is enough. */
const PERMISSIONS: readonly { readonly path: RegExp; readonly oneOf: readonly string[] }[] = [
  { path: /^\/(check-runs|check-suites|commits\/[^/]+\/check-runs)\b/, oneOf: ['checks'] },
  { path: /^\/(git|contents|pulls\/\d+\/merge$)/, oneOf: ['contents'] },
  { path: /^\/issues\b/, oneOf: ['issues', 'pull_requests'] },
  { path: /^\/pulls\b/, oneOf: ['pull_requests'] },
  { path: /^\/code-scanning\b/, oneOf: ['security_events'] },
];

function isGranted(store: Store, { method, path }: ApiCall, user: TokenUser): boolean {
  const rest = path.split('?')[0]?.replace(/^\/repos\/[^/]+\/[^/]+/, '') ?? '';
  const needed = PERMISSIONS.find((each) => each.path.test(rest))?.oneOf;
  const enough = method === 'GET' || method === 'HEAD' ? ['read', 'write'] : ['write'];
  return needed === undefined || needed.some((name) => enough.includes(grantedTo(store, user, name)));
}

/** What the installation may now, and could when the token was made. */
export function grantedTo(
  store: Store,
  { installation }: TokenUser,
  name: string,
): 'none' | 'read' | 'write' {
  const id = installation?.installationId ?? 0;
  const now = store.appInstallations.findOneBy('installation_id', id)?.permissions[name];
  const levels = [now, installation?.permissions[name]];
  if (levels.every((level) => level === 'write')) return 'write';
  return levels.every((level) => level === 'read' || level === 'write') ? 'read' : 'none';
}

/** Whether a token's installation is on the repository. */
export function covers(store: Store, user: TokenUser, repo: RepoRow): boolean {
  return installationOf(store, repo)?.installation_id === user.installation?.installationId;
}
