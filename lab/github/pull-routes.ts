import { answer, ok, problem } from './answers.ts';
import { announce, emitPull, senderOf, setClosed, tellNewBase } from './changes.ts';
import type { ApiAnswer, ApiCall } from './context.ts';
import { pullFiles } from './files.ts';
import { bringHead, forkOf } from './forks.ts';
import { gitOutput } from './git.ts';
import { newCommits } from './history.ts';
import { callEmulator, callJson } from './internal.ts';
import { asJson, type Json, parseJson, textOf } from './json.ts';
import { mergeabilityOf, mergeRefusal, methodOf } from './merge-rules.ts';
import { baseTip, type MergeMethod, makeMerge } from './merges.ts';
import { importFromGit, type Mirror, writeRef } from './mirror.ts';
import { contentsPermission } from './permissions.ts';
import { pullFacts } from './pull-facts.ts';
import { mirrorOf } from './repositories.ts';
import type { Route, RouteInput } from './routes.ts';
import type { CommitRow, PullRow } from './rows.ts';

const PER_PAGE = 30;
const PER_PAGE_LIMIT = 100;

export const PULL_ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/pulls$/, handle: openPull },
  { method: 'GET', path: /^\/pulls\/(\d+)$/, handle: (input) => withMergeability(input) },
  { method: 'PATCH', path: /^\/pulls\/(\d+)$/, handle: editPull },
  { method: 'PUT', path: /^\/pulls\/(\d+)\/merge$/, handle: mergePull },
  { method: 'GET', path: /^\/pulls\/(\d+)\/commits$/, handle: listCommits },
  { method: 'GET', path: /^\/pulls\/(\d+)\/files$/, handle: listFiles },
  { method: 'POST', path: /^\/pulls\/(\d+)\/reviews$/, handle: reviewPull },
  { method: 'GET', path: /^\/commits\/([0-9a-f]{40})\/pulls$/, handle: pullsOfCommit },
];

export function findPull(input: RouteInput, number: string | undefined): PullRow | undefined {
  const rows = input.context.store.pullRequests.findBy('repo_id', input.repo.id);
  return rows.find((row) => row.number === Number(number));
}

function mayWrite({ context, repo, user }: RouteInput): boolean {
  const permission = contentsPermission(context.store, context.admin.login, repo, user);
  return permission === 'write' || permission === 'admin';
}

/** The emulator creates missing branches and opens twins; GitHub refuses both. It lets nobody open one from a fork who may not write. */
async function openPull(input: RouteInput): Promise<ApiAnswer> {
  const { context, repo } = input;
  const body = asJson(input.json);
  const head = String(body.head).replace(`${repo.full_name.split('/')[0]}:`, '');
  const base = String(body.base);
  if (!head.includes(':')) {
    const error = openingError(input, head, base);
    if (error !== undefined) return problem(422, 'Validation Failed', [error]);
  }
  const fork = head.includes(':') ? forkOf(context, repo, head) : undefined;
  if (head.includes(':') && fork === undefined) return problem(422, 'Validation Failed');
  const opened = await callEmulator(context, fork === undefined ? input.call : asAdmin(input));
  const pull = findPull(input, String(asJson(parseJson(opened.body)).number));
  if (ok(opened) && pull) {
    if (fork !== undefined) signBy(input, pull);
    await bringHead(context, repo, pull);
  }
  return amend(opened, (json) => ({
    ...json,
    mergeable: null,
    rebaseable: null,
    mergeable_state: 'unknown',
  }));
}

function asAdmin({ context, call }: RouteInput): ApiCall {
  return { ...call, headers: { ...call.headers, authorization: `token ${context.admin.token}` } };
}

/** Whoever asked is the author. */
function signBy({ context, repo, actor }: RouteInput, pull: PullRow): void {
  const user_id = context.store.users.findOneBy('login', actor)?.id ?? pull.user_id;
  context.store.pullRequests.update(pull.id, { user_id });
  const issue = context.store.issues.findBy('repo_id', repo.id).find((row) => row.number === pull.number);
  if (issue) context.store.issues.update(issue.id, { user_id });
}

function openingError({ context, repo }: RouteInput, head: string, base: string): Json | undefined {
  const refs = context.store.refs.findBy('repo_id', repo.id);
  const shaOf = (branch: string) => refs.find((row) => row.ref === `refs/heads/${branch}`)?.sha;
  const resource = 'PullRequest';
  if (shaOf(head) === undefined) return { resource, field: 'head', code: 'invalid' };
  if (shaOf(base) === undefined) return { resource, field: 'base', code: 'invalid' };
  if (shaOf(head) === shaOf(base)) {
    return { resource, code: 'custom', message: `No commits between ${base} and ${head}` };
  }
  const twin = context.store.pullRequests
    .findBy('repo_id', repo.id)
    .some((row) => row.state === 'open' && row.head_ref === head && row.base_ref === base);
  const message = `A pull request already exists for ${repo.full_name.split('/')[0]}:${head}.`;
  return twin ? { resource, code: 'custom', message } : undefined;
}

/** Only the author and people with write access edit a pull request. */
async function editPull(input: RouteInput): Promise<ApiAnswer> {
  const pull = findPull(input, input.params[0]);
  const author = pull && input.context.store.users.get(pull.user_id)?.login === input.actor;
  if (pull && !author && !mayWrite(input)) return problem(403, 'Must have write access to the repository');
  const from = pull && { ref: pull.base_ref, sha: pull.base_sha };
  const edited = await withMergeability(input);
  if (ok(edited) && pull && from) await tellNewBase(input, pull.number, from);
  return edited;
}

export function amend(found: ApiAnswer, change: (json: Json) => unknown): ApiAnswer {
  if (!ok(found)) return found;
  return answer(found.status, change(asJson(parseJson(found.body))), withoutLength(found.headers));
}

function withoutLength(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-length'));
}

async function withMergeability(input: RouteInput): Promise<ApiAnswer> {
  const found = await callEmulator(input.context, input.call);
  const pull = findPull(input, input.params[0]);
  if (!ok(found) || pull === undefined) return found;
  const mirror = await mirrorOf(input.context, input.repo);
  const facts = await pullFacts(input.context, mirror, pull);
  const mergeable_state = await mergeabilityOf(input, mirror, pull, facts.mergeable_state);
  return amend(found, (json) => ({ ...json, ...facts, mergeable_state }));
}

async function mergePull(input: RouteInput): Promise<ApiAnswer> {
  const { context, repo } = input;
  const authorization = input.call.headers.authorization ?? '';
  const path = `/repos/${repo.full_name}/pulls/${input.params[0]}`;
  const seen = await callEmulator(context, {
    method: 'GET',
    path,
    headers: { authorization },
    body: Buffer.alloc(0),
  });
  const pull = findPull(input, input.params[0]);
  if (!ok(seen) || pull === undefined) return seen;
  if (!mayWrite(input)) {
    return problem(403, input.user?.installation ? 'Resource not accessible by integration' : 'Forbidden');
  }
  const body = asJson(input.json);
  const refusal = mergeRefusal(input, pull, body);
  if (refusal !== undefined) return refusal;
  const mirror = await mirrorOf(context, repo);
  return performMerge(input, mirror, pull, methodOf(body.merge_method), messageOf(input, pull, body));
}

function messageOf({ repo }: RouteInput, pull: PullRow, body: Json): string {
  const standard = `Merge pull request #${pull.number} from ${repo.full_name.split('/')[0]}/${pull.head_ref}`;
  const message = textOf(body.commit_message);
  return `${textOf(body.commit_title) ?? standard}${message ? `\n\n${message}` : ''}`;
}

/** `input.actor` is who has merged it. */
export async function performMerge(
  input: Pick<RouteInput, 'context' | 'repo' | 'actor'>,
  mirror: Mirror,
  pull: PullRow,
  method: MergeMethod,
  message: string,
): Promise<ApiAnswer> {
  const { context, repo } = input;
  const actor = context.store.users.findOneBy('login', input.actor);
  const identity = {
    name: actor?.name ?? input.actor,
    email: actor?.email ?? `${input.actor}@users.noreply.github.com`,
    date: new Date().toISOString(),
  };
  const sha = await makeMerge(context, mirror, pull, method, message, identity);
  if (sha === null) return problem(405, 'Pull Request is not mergeable');
  const before = baseTip(mirror, pull);
  await gitOutput(mirror.dir, ['update-ref', `refs/heads/${pull.base_ref}`, sha, before]);
  const changes = await importFromGit(mirror, context.store);
  setClosed(context, pull, { sha, by: actor?.id ?? 0 });
  await writeRef(mirror, `refs/pull/${pull.number}/merge`, undefined);
  await announce(context, mirror, repo, changes, input.actor, 'pr_merge');
  const repository = await callJson(context, `/repos/${repo.full_name}`);
  await emitPull(context, repo, pull.number, 'closed', {
    repository,
    sender: await senderOf(context, input.actor),
  });
  return answer(200, { sha, merged: true, message: 'Pull Request successfully merged' });
}

async function listFiles(input: RouteInput): Promise<ApiAnswer> {
  const found = await callEmulator(input.context, input.call);
  const pull = findPull(input, input.params[0]);
  if (!ok(found) || pull === undefined) return found;
  const mirror = await mirrorOf(input.context, input.repo);
  const page = Math.max(1, Number(input.query.get('page') ?? 1));
  const size = Math.min(PER_PAGE_LIMIT, Number(input.query.get('per_page') ?? PER_PAGE));
  const files = await pullFiles(mirror, pull, `${input.context.baseUrl}/repos/${input.repo.full_name}`);
  const last = Math.max(1, Math.ceil(files.length / size));
  return answer(200, files.slice((page - 1) * size, page * size), linkHeader(input, page, last));
}

/** Commits that GitHub lists of a pull request. */
const COMMITS_LISTED = 250;

/** The emulator lists a commit of the base as well, and knows nobody's account; GitHub knows it by the address of mail. */
async function listCommits(input: RouteInput): Promise<ApiAnswer> {
  const { context, repo, query } = input;
  const pull = findPull(input, input.params[0]);
  if (pull === undefined) return problem(404, 'Not Found');
  const before = pull.state === 'open' ? baseTip(await mirrorOf(context, repo), pull) : pull.base_sha;
  const rows = newCommits(context.store, repo.id, { before, after: pull.head_sha }).reverse();
  const listed = rows.slice(0, COMMITS_LISTED);
  const page = Math.max(1, Number(query.get('page') ?? 1));
  const size = Math.min(PER_PAGE_LIMIT, Number(query.get('per_page') ?? PER_PAGE));
  const shown = listed.slice((page - 1) * size, page * size).map((row) => commitJson(input, row));
  const last = Math.max(1, Math.ceil(listed.length / size));
  return answer(200, await Promise.all(shown), linkHeader(input, page, last));
}

async function commitJson({ context, repo }: RouteInput, row: CommitRow): Promise<Json> {
  const account = async (email: string): Promise<Json | null> => {
    const user = context.store.users.findOneBy('email', email);
    return user === undefined ? null : callJson(context, `/users/${encodeURIComponent(user.login)}`);
  };
  return {
    ...(await callJson(context, `/repos/${repo.full_name}/commits/${row.sha}`)),
    author: await account(row.author_email),
    committer: await account(row.committer_email),
  };
}

function linkHeader(input: RouteInput, page: number, last: number): Record<string, string> {
  if (page >= last) return {};
  const link = (to: number, rel: string) => {
    const url = new URL(input.call.path, input.context.baseUrl);
    url.searchParams.set('page', String(to));
    return `<${url.href}>; rel="${rel}"`;
  };
  return { link: `${link(page + 1, 'next')}, ${link(last, 'last')}` };
}

/** An author cannot approve; the emulator would let them. */
async function reviewPull(input: RouteInput): Promise<ApiAnswer> {
  const pull = findPull(input, input.params[0]);
  const event = asJson(input.json).event;
  const own = pull && input.context.store.users.get(pull.user_id)?.login === input.actor;
  if (own && (event === 'APPROVE' || event === 'REQUEST_CHANGES')) {
    const verb = event === 'APPROVE' ? 'approve' : 'request changes on';
    return problem(422, 'Unprocessable Entity', [`Can not ${verb} your own pull request`]);
  }
  return callEmulator(input.context, input.call);
}

async function pullsOfCommit(input: RouteInput): Promise<ApiAnswer> {
  const sha = input.params[0];
  const rows = input.context.store.pullRequests
    .findBy('repo_id', input.repo.id)
    .filter((row) => row.head_sha === sha || row.merge_commit_sha === sha);
  const path = `/repos/${input.repo.full_name}/pulls`;
  return answer(200, await Promise.all(rows.map((row) => callJson(input.context, `${path}/${row.number}`))));
}
