import { randomBytes } from 'node:crypto';
import { type Account, type Accounts, emailOf } from './accounts.ts';
import type { Acting, Files, RepositoryName } from './acting.ts';
import { answerApi } from './api.ts';
import { emitPull, senderOf } from './changes.ts';
import type { ApiAnswer, LabContext } from './context.ts';
import { fillFork } from './forks.ts';
import { callJson } from './internal.ts';
import { asJson, isJson, type Json, parseJson } from './json.ts';
import { lifeActs } from './life-acts.ts';
import { policyActs } from './policy-acts.ts';
import { queueActs } from './queue.ts';
import { findRepo } from './repositories.ts';
import type { RepoRow } from './rows.ts';

type Request = (user: Account, method: string, path: string, body?: Json) => Promise<ApiAnswer>;

export function createActing(context: LabContext, owner: string, accounts: Accounts): Acting {
  const request: Request = (user, method, path, body) =>
    answerApi(context, {
      method,
      path,
      headers: { authorization: `token ${user.token}`, 'content-type': 'application/json' },
      body: body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)),
    });
  const parts = { context, owner, accounts, request };
  return {
    ...codeActs(parts),
    ...pullActs(parts),
    ...checkActs(parts),
    ...policyActs(context, owner, accounts),
    ...queueActs(context, accounts),
    ...lifeActs(context, owner, accounts),
  };
}

interface Parts {
  readonly context: LabContext;
  readonly owner: string;
  readonly accounts: Accounts;
  readonly request: Request;
}

async function must(answered: Promise<ApiAnswer>, what: string): Promise<unknown> {
  const found = await answered;
  if (found.status < 300) return parseJson(found.body);
  throw new Error(`${what}: the lab's GitHub answered ${found.status} ${found.body.toString()}`);
}

const pathOf = (repo: RepositoryName) => `/repos/${repo.owner}/${repo.name}`;

async function commit(
  { request }: Parts,
  user: Account,
  repo: RepositoryName,
  parent: string | undefined,
  files: Files,
  author?: Account,
): Promise<string> {
  const git = `${pathOf(repo)}/git`;
  const tree = Object.entries(files).map(([path, content]) => ({
    path,
    mode: '100644',
    type: 'blob',
    ...(content === null ? { sha: null } : { content }),
  }));
  const base =
    parent && asJson(await must(request(user, 'GET', `${git}/commits/${parent}`), 'reading the tip'));
  const base_tree = base ? String(asJson(base.tree).sha) : undefined;
  const made = asJson(
    await must(request(user, 'POST', `${git}/trees`, { base_tree, tree }), 'writing the tree'),
  );
  const message = `Change ${Object.keys(files).join(', ').slice(0, 60)}`;
  const parents = parent === undefined ? [] : [parent];
  const named = author && { name: author.login, email: emailOf(author) };
  const body = { message, tree: made.sha, parents, ...(named && { author: named, committer: named }) };
  return String(asJson(await must(request(user, 'POST', `${git}/commits`, body), 'committing')).sha);
}

function codeActs(parts: Parts) {
  const { context, owner, accounts, request } = parts;
  const branchSha = async (repo: RepositoryName, branch: string): Promise<string> => {
    const path = `${pathOf(repo)}/git/ref/heads/${branch}`;
    const found = asJson(await must(request(accounts.admin, 'GET', path), `reading ${branch}`));
    return String(asJson(found.object).sha);
  };
  const setCollaborator: Acting['setCollaborator'] = async (repo, user, permission) => {
    const path = `${pathOf(repo)}/collaborators/${user.login}`;
    await must(request(accounts.admin, 'PUT', path, { permission }), `adding ${user.login}`);
  };
  const forkRepository: Acting['forkRepository'] = async (repo, user) => {
    const made = asJson(await must(request(user, 'POST', `${pathOf(repo)}/forks`, {}), 'forking'));
    const fork = { owner: user.login, name: String(made.name) };
    await fillFork(context, rowOf(context, repo), rowOf(context, fork));
    return fork;
  };
  const branchWithChanges: Acting['branchWithChanges'] = async (
    repo,
    branch,
    files,
    from,
    user = accounts.author,
    author,
  ) => {
    const start = from ?? rowOf(context, repo).default_branch;
    const sha = await commit(parts, user, repo, await branchSha(repo, start), files, author);
    const body = { ref: `refs/heads/${branch}`, sha };
    await must(request(user, 'POST', `${pathOf(repo)}/git/refs`, body), `creating ${branch}`);
    return sha;
  };
  const createRepository: Acting['createRepository'] = async (wanted) => {
    const name = wanted.name ?? `infra-${randomBytes(4).toString('hex')}`;
    const repo = { owner, name };
    const body = { name, private: wanted.private ?? false, auto_init: false };
    await must(request(accounts.admin, 'POST', `/orgs/${owner}/repos`, body), `creating ${name}`);
    const branch = wanted.defaultBranch ?? 'main';
    const row = rowOf(context, repo);
    context.store.repos.update(row.id, { default_branch: branch });
    for (const user of Object.values(accounts)) {
      if (user.role === 'push' || user.role === 'pull') await setCollaborator(repo, user, user.role);
    }
    const sha = await commit(parts, accounts.admin, repo, undefined, wanted.files);
    const ref = { ref: `refs/heads/${branch}`, sha };
    await must(request(accounts.admin, 'POST', `${pathOf(repo)}/git/refs`, ref), `creating ${branch}`);
    return repo;
  };
  const push: Acting['push'] = async (repo, branch, files, user = accounts.author, author) => {
    const sha = await commit(parts, user, repo, await branchSha(repo, branch), files, author);
    const path = `${pathOf(repo)}/git/refs/heads/${branch}`;
    await must(request(user, 'PATCH', path, { sha }), `pushing to ${branch}`);
    return sha;
  };
  const forcePush: Acting['forcePush'] = async (repo, branch, files, onto) => {
    const parent = onto ?? (await branchSha(repo, rowOf(context, repo).default_branch));
    const sha = await commit(parts, accounts.author, repo, parent, files);
    const path = `${pathOf(repo)}/git/refs/heads/${branch}`;
    await must(request(accounts.admin, 'PATCH', path, { sha, force: true }), `pushing to ${branch}`);
    return sha;
  };
  const deleteBranch: Acting['deleteBranch'] = async (repo, branch) => {
    const path = `${pathOf(repo)}/git/refs/heads/${branch}`;
    await must(request(accounts.author, 'DELETE', path), `deleting ${branch}`);
  };
  const fileAt: Acting['fileAt'] = async (repo, ref, path) => {
    const url = `${pathOf(repo)}/contents/${path.split('/').map(encodeURIComponent).join('/')}?ref=${ref}`;
    const found = await request(accounts.admin, 'GET', url);
    if (found.status === 404) return undefined;
    return Buffer.from(String(asJson(parseJson(found.body)).content), 'base64').toString('utf8');
  };
  return {
    createRepository,
    forkRepository,
    setCollaborator,
    branchSha,
    branchWithChanges,
    push,
    forcePush,
    deleteBranch,
    fileAt,
  };
}

function rowOf(context: LabContext, repo: RepositoryName): RepoRow {
  const row = findRepo(context, repo.owner, repo.name);
  if (row === undefined) throw new Error(`the lab has no repository ${repo.owner}/${repo.name}`);
  return row;
}

function pullActs(parts: Parts) {
  const { context, accounts, request } = parts;
  const pullPath = (repo: RepositoryName, pull: number) => `${pathOf(repo)}/pulls/${pull}`;
  const editPull: Acting['editPull'] = async (repo, pull, changes) => {
    await must(request(accounts.author, 'PATCH', pullPath(repo, pull), changes), `editing #${pull}`);
  };
  const openPullRequest: Acting['openPullRequest'] = async (repo, pull, user = accounts.author) => {
    const body = {
      title: pull.title ?? `Change ${pull.branch}`,
      body: pull.body ?? '',
      head: pull.branch,
      base: pull.base ?? rowOf(context, repo).default_branch,
      draft: pull.draft ?? false,
    };
    const made = await must(request(user, 'POST', `${pathOf(repo)}/pulls`, body), `opening ${pull.branch}`);
    return Number(asJson(made).number);
  };
  const openPullRequests: Acting['openPullRequests'] = async (repo, changes) => {
    const numbers: number[] = [];
    const { branchWithChanges } = codeActs(parts);
    const series = randomBytes(3).toString('hex');
    for (const [index, files] of changes.entries()) {
      const branch = `bulk-${series}-${index}`;
      await branchWithChanges(repo, branch, files);
      numbers.push(await openPullRequest(repo, { branch }));
    }
    return numbers;
  };
  const review: Acting['review'] = async (repo, pull, user, event, body) => {
    const path = `${pullPath(repo, pull)}/reviews`;
    const made = await must(request(user, 'POST', path, { event, body: body ?? '' }), `reviewing #${pull}`);
    return Number(asJson(made).id);
  };
  const dismissReview: Acting['dismissReview'] = async (repo, pull, id) => {
    const path = `${pullPath(repo, pull)}/reviews/${id}/dismissals`;
    await must(request(accounts.admin, 'PUT', path, { message: 'out of date' }), `dismissing ${id}`);
  };
  const comment: Acting['comment'] = async (repo, pull, user, body) => {
    const path = `${pathOf(repo)}/issues/${pull}/comments`;
    return Number(asJson(await must(request(user, 'POST', path, { body }), `commenting on #${pull}`)).id);
  };
  const editComment: Acting['editComment'] = async (repo, id, body, user = accounts.admin) => {
    const path = `${pathOf(repo)}/issues/comments/${id}`;
    await must(request(user, 'PATCH', path, { body }), `editing the comment ${id}`);
  };
  const deleteComment: Acting['deleteComment'] = async (repo, id, user) => {
    const path = `${pathOf(repo)}/issues/comments/${id}`;
    await must(request(user, 'DELETE', path), `deleting the comment ${id}`);
  };
  const closeIssue: Acting['closeIssue'] = async (repo, issue) => {
    const path = `${pathOf(repo)}/issues/${issue}`;
    await must(request(accounts.reviewer, 'PATCH', path, { state: 'closed' }), `closing issue ${issue}`);
  };
  const setDraft: Acting['setDraft'] = async (repo, number, draft) => {
    const row = rowOf(context, repo);
    const pull = context.store.pullRequests
      .findBy('repo_id', row.id)
      .find((entry) => entry.number === number);
    if (pull === undefined) throw new Error(`${row.full_name} has no pull request ${number}`);
    context.store.pullRequests.update(pull.id, { draft });
    const repository = await callJson(context, pathOf(repo));
    const sender = await senderOf(context, accounts.author.login);
    const action = draft ? 'converted_to_draft' : 'ready_for_review';
    await emitPull(context, row, number, action, { repository, sender });
  };
  const mergeByHand: Acting['mergeByHand'] = async (repo, pull, user, merge_method = 'merge') => {
    const [who, path] = [user ?? accounts.reviewer, `${pullPath(repo, pull)}/merge`];
    const merged = await must(request(who, 'PUT', path, { merge_method }), `merging #${pull}`);
    return String(asJson(merged).sha);
  };
  return {
    openPullRequest,
    openPullRequests,
    review,
    dismissReview,
    comment,
    editComment,
    deleteComment,
    editPull,
    closeIssue,
    closePullRequest: (repo: RepositoryName, pull: number) => editPull(repo, pull, { state: 'closed' }),
    reopenPullRequest: (repo: RepositoryName, pull: number) => editPull(repo, pull, { state: 'open' }),
    setDraft,
    mergeByHand,
    getPull: async (repo: RepositoryName, pull: number) =>
      asJson(await must(request(accounts.admin, 'GET', pullPath(repo, pull)), `reading #${pull}`)),
  };
}

function checkActs({ context, accounts, request }: Parts) {
  const list = async (path: string): Promise<Json[]> => {
    const found = await must(request(accounts.admin, 'GET', path), `reading ${path}`);
    const items = Array.isArray(found) ? found : asJson(found).check_runs;
    return Array.isArray(items) ? items.filter(isJson) : [];
  };
  const emitRun = async (
    repo: RepositoryName,
    id: number,
    action: string,
    user: Account,
    extra: Json,
  ): Promise<void> => {
    const check_run = await callJson(context, `${pathOf(repo)}/check-runs/${id}`);
    const repository = await callJson(context, pathOf(repo));
    const sender = await senderOf(context, user.login);
    const payload = { action, check_run, repository, sender, ...extra };
    context.deliveries.emit('check_run', action, context.complete('check_run', payload));
  };
  const clickCheckButton: Acting['clickCheckButton'] = async (repo, id, identifier, user) => {
    const actions = context.store.checkRuns.get(id)?.actions ?? [];
    if (!actions.some((action) => action.identifier === identifier)) {
      throw new Error(`check run ${id} offers no button "${identifier}"`);
    }
    await emitRun(repo, id, 'requested_action', user, { requested_action: { identifier } });
  };
  return {
    clickCheckButton,
    rerunCheck: (repo: RepositoryName, id: number, user: Account) =>
      emitRun(repo, id, 'rerequested', user, {}),
    listChecks: (repo: RepositoryName, sha: string) =>
      list(`${pathOf(repo)}/commits/${sha}/check-runs?per_page=100`),
    listAnnotations: (repo: RepositoryName, id: number) =>
      list(`${pathOf(repo)}/check-runs/${id}/annotations?per_page=100`),
    listComments: (repo: RepositoryName, pull: number) =>
      list(`${pathOf(repo)}/issues/${pull}/comments?per_page=100`),
    listIssues: (repo: RepositoryName) => list(`${pathOf(repo)}/issues?state=all&per_page=100`),
    listReactions: (repo: RepositoryName, comment: number) =>
      list(`${pathOf(repo)}/issues/comments/${comment}/reactions`),
  };
}
