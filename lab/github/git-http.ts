import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { announce } from './changes.ts';
import type { LabContext } from './context.ts';
import { GIT_ENVIRONMENT } from './git.ts';
import { tokenOf } from './internal.ts';
import { exportToGit, importFromGit } from './mirror.ts';
import { contentsPermission } from './permissions.ts';
import { findRepo, folderOf, inTurn, mirrorOf } from './repositories.ts';
import type { RepoRow, TokenUser } from './rows.ts';
import { isSuspended, movedTo } from './standing.ts';

export interface GitRequest {
  readonly owner: string;
  readonly name: string;
  readonly service: 'info/refs' | 'git-upload-pack' | 'git-receive-pack';
  readonly query: string;
}

/** Reads `/OWNER/NAME[.git]/SERVICE`, the smart HTTP protocol's addresses (gitprotocol-http). */
export function parseGitRequest(url: string): GitRequest | undefined {
  const found =
    /^\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)(?:\?(.*))?$/.exec(url);
  if (found === null) return undefined;
  const [, owner = '', name = '', service = '', query = ''] = found;
  if (service !== 'info/refs' && service !== 'git-upload-pack' && service !== 'git-receive-pack')
    return undefined;
  return { owner, name, service, query };
}

/** Serves clone, fetch and push from the repository's mirror, with GitHub's rules of access. */
export async function serveGit(
  context: LabContext,
  request: GitRequest,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const writes = request.service === 'git-receive-pack' || request.query.includes('git-receive-pack');
  const token = tokenOf(req.headers.authorization);
  const user = token === undefined ? undefined : context.emulator.tokens.get(token);
  const repo = findRepo(context, request.owner, request.name);
  const moved = movedTo(context, `${request.owner}/${request.name}`);
  if (moved !== undefined) {
    const query = request.query === '' ? '' : `?${request.query}`;
    const location = `${context.baseUrl}/${moved.full_name}.git/${request.service}${query}`;
    res.writeHead(301, { location }).end();
    return;
  }
  const refusal = refusalOf(context, repo, token, user, writes);
  if (refusal !== undefined || repo === undefined) return refuse(res, refusal ?? 404);
  if (request.service !== 'git-receive-pack') {
    await inTurn(context, repo, async () => exportToGit(await mirrorOf(context, repo), context.store));
    return runBackend(context, request, repo, req, res, async () => {});
  }
  await inTurn(context, repo, async () => {
    const mirror = await mirrorOf(context, repo);
    await exportToGit(mirror, context.store);
    const actor = user?.installation ? `${context.app.slug}[bot]` : (user?.login ?? context.admin.login);
    await runBackend(context, request, repo, req, res, async () => {
      const changes = await importFromGit(mirror, context.store);
      await announce(context, mirror, repo, changes, actor);
    });
  });
}

/** GitHub asks for credentials before it says whether a private repository exists. */
function refusalOf(
  context: LabContext,
  repo: RepoRow | undefined,
  token: string | undefined,
  user: TokenUser | undefined,
  writes: boolean,
): 401 | 403 | 404 | undefined {
  if (isSuspended(context.store, user)) return 403;
  if (token !== undefined && user === undefined) return 401;
  if (repo === undefined) return user === undefined ? 401 : 404;
  if (repo.archived && writes) return user === undefined ? 401 : 403;
  const permission = contentsPermission(context.store, context.admin.login, repo, user);
  if (permission === 'none') return user === undefined ? 401 : 404;
  if (!writes || permission === 'write' || permission === 'admin') return undefined;
  return user === undefined ? 401 : 403;
}

const REFUSALS = { 401: 'Invalid username or token.', 403: 'Write access to repository not granted.' };

function refuse(res: ServerResponse, status: 401 | 403 | 404): void {
  const headers = { 'content-type': 'text/plain', 'www-authenticate': 'Basic realm="GitHub"' };
  res.writeHead(status, headers).end(status === 404 ? 'Repository not found.' : REFUSALS[status]);
}

function runBackend(
  context: LabContext,
  request: GitRequest,
  repo: RepoRow,
  req: IncomingMessage,
  res: ServerResponse,
  afterwards: () => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['http-backend'], { env: backendEnvironment(context, request, repo, req) });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.resume();
    child.on('error', reject);
    child.stdin.on('error', () => {});
    req.on('error', () => child.kill());
    req.pipe(child.stdin);
    child.on('close', () => {
      afterwards().then(() => {
        sendCgi(res, Buffer.concat(output));
        resolve();
      }, reject);
    });
  });
}

function backendEnvironment(
  context: LabContext,
  request: GitRequest,
  repo: RepoRow,
  req: IncomingMessage,
): Record<string, string> {
  const header = (name: string) => {
    const value = req.headers[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    ...GIT_ENVIRONMENT,
    GIT_PROJECT_ROOT: context.root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${folderOf(repo)}/${request.service}`,
    REQUEST_METHOD: req.method ?? 'GET',
    QUERY_STRING: request.query,
    CONTENT_TYPE: header('content-type'),
    CONTENT_LENGTH: header('content-length'),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROTOCOL: header('git-protocol'),
    REMOTE_ADDR: '127.0.0.1',
  };
}

/** Turns a CGI answer (RFC 3875) into an HTTP one. */
export function parseCgi(output: Buffer): { status: number; headers: Record<string, string>; body: Buffer } {
  const end = output.indexOf('\r\n\r\n');
  if (end < 0) return { status: 500, headers: {}, body: Buffer.from('git http-backend gave no answer') };
  const lines = output.toString('latin1', 0, end).split('\r\n');
  const pairs = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const status = Number.parseInt(pairs.find(([name]) => name === 'status')?.[1] ?? '200', 10);
  const headers = Object.fromEntries(pairs.filter(([name]) => name !== 'status'));
  return { status, headers, body: output.subarray(end + 4) };
}

function sendCgi(res: ServerResponse, output: Buffer): void {
  const { status, headers, body } = parseCgi(output);
  res.writeHead(status, headers).end(body);
}
