import { isForced, recordActivity } from './activity.ts';
import type { LabContext } from './context.ts';
import { bringHead } from './forks.ts';
import { newCommits } from './history.ts';
import { callJson } from './internal.ts';
import { asJson, type Json } from './json.ts';
import { type Mirror, type RefChange, writeRef } from './mirror.ts';
import type { RouteInput } from './routes.ts';
import type { CommitRow, PullRow, RepoRow } from './rows.ts';

const HEADS = 'refs/heads/';
const ZERO = '0'.repeat(40);
/** GitHub lists at most this many commits in a push event. */
const COMMITS_IN_PUSH = 2048;

/** Announces moved references and carries the open pull requests along, in GitHub's order of events. */
export async function announce(
  context: LabContext,
  mirror: Mirror,
  repo: RepoRow,
  changes: readonly RefChange[],
  actor: string,
  moved?: 'pr_merge',
): Promise<void> {
  if (changes.length === 0) return;
  recordActivity(context, repo, changes, actor, moved);
  if (isFork(repo)) return announceFork(context, repo, changes, actor);
  const repository = await callJson(context, `/repos/${repo.full_name}`);
  const sender = await senderOf(context, actor);
  for (const change of changes) {
    context.deliveries.emit('push', undefined, pushPayload(context, repo, change, repository, sender));
  }
  for (const change of changes) {
    if (!change.ref.startsWith(HEADS)) continue;
    await moveHeads(context, mirror, repo, change, { repository, sender });
    await closeContained(context, mirror, repo, change, { repository, sender });
  }
}

/** The App is not installed on a fork: only the parent's pull requests are heard of. */
async function announceFork(
  context: LabContext,
  fork: RepoRow,
  changes: readonly RefChange[],
  actor: string,
): Promise<void> {
  const parent = context.store.repos.get(fork.forked_from_id ?? 0);
  if (parent === undefined) return;
  const scene = {
    repository: await callJson(context, `/repos/${parent.full_name}`),
    sender: await senderOf(context, actor),
  };
  for (const { ref, after } of changes) {
    const pulls = openPulls(context, parent).filter(
      (pull) => pull.head_repo_id === fork.id && `${HEADS}${pull.head_ref}` === ref,
    );
    for (const pull of pulls) {
      if (after === undefined || pull.head_sha === after) continue;
      context.store.pullRequests.update(pull.id, { head_sha: after });
      await bringHead(context, parent, { ...pull, head_sha: after });
      await emitPull(context, parent, pull.number, 'synchronize', scene, { before: pull.head_sha, after });
    }
  }
}

function isFork(repo: RepoRow): boolean {
  return repo.forked_from_id !== undefined && repo.forked_from_id !== null;
}

export async function senderOf(context: LabContext, login: string): Promise<Json> {
  return callJson(context, `/users/${encodeURIComponent(login)}`);
}

interface Scene {
  readonly repository: Json;
  readonly sender: Json;
}

async function moveHeads(
  context: LabContext,
  mirror: Mirror,
  repo: RepoRow,
  change: RefChange,
  scene: Scene,
): Promise<void> {
  const branch = change.ref.slice(HEADS.length);
  const pulls = openPulls(context, repo).filter(
    (pull) => pull.head_ref === branch && (pull.head_repo_id === repo.id || context.state.forks.has(pull.id)),
  );
  for (const pull of pulls) {
    if (change.after === undefined) {
      setClosed(context, pull, undefined);
      await emitPull(context, repo, pull.number, 'closed', scene);
    } else if (pull.head_sha !== change.after) {
      const base_sha = mirror.refs.get(`${HEADS}${pull.base_ref}`) ?? pull.base_sha;
      context.store.pullRequests.update(pull.id, { head_sha: change.after, base_sha });
      await writeRef(mirror, `refs/pull/${pull.number}/head`, change.after);
      const extra = { before: pull.head_sha, after: change.after };
      await emitPull(context, repo, pull.number, 'synchronize', scene, extra);
    }
  }
}

/** A pull request whose head arrives on its base by another way counts as merged. */
async function closeContained(
  context: LabContext,
  mirror: Mirror,
  repo: RepoRow,
  change: RefChange,
  scene: Scene,
): Promise<void> {
  if (change.after === undefined) return;
  const branch = change.ref.slice(HEADS.length);
  const pulls = openPulls(context, repo).filter((pull) => pull.base_ref === branch);
  if (pulls.length === 0) return;
  const arrived = new Set(newCommits(context.store, repo.id, change).map((commit) => commit.sha));
  const tip = change.after;
  for (const pull of pulls.filter((row) => arrived.has(row.head_sha))) {
    setClosed(context, pull, { sha: tip, by: Number(scene.sender.id) });
    await writeRef(mirror, `refs/pull/${pull.number}/merge`, undefined);
    await emitPull(context, repo, pull.number, 'closed', scene);
  }
}

function openPulls(context: LabContext, repo: RepoRow): PullRow[] {
  return context.store.pullRequests.findBy('repo_id', repo.id).filter((pull) => pull.state === 'open');
}

/** Writes what a closing or a merge means into the emulator's tables. */
export function setClosed(
  context: LabContext,
  pull: PullRow,
  merge: { readonly sha: string; readonly by: number } | undefined,
): void {
  const closed_at = new Date().toISOString();
  const { store } = context;
  store.pullRequests.update(pull.id, {
    state: 'closed',
    closed_at,
    mergeable: null,
    mergeable_state: 'unknown',
    ...(merge && { merged: true, merged_at: closed_at, merged_by_id: merge.by, merge_commit_sha: merge.sha }),
  });
  const issue = store.issues.findBy('repo_id', pull.repo_id).find((row) => row.number === pull.number);
  if (issue) store.issues.update(issue.id, { state: 'closed', closed_at, closed_by_id: merge?.by ?? null });
  const repo = store.repos.get(pull.repo_id);
  if (repo) store.repos.update(repo.id, { open_issues_count: Math.max(0, repo.open_issues_count - 1) });
}

export async function emitPull(
  context: LabContext,
  repo: RepoRow,
  number: number,
  action: string,
  scene: Scene,
  extra: Json = {},
): Promise<void> {
  const pull_request = await callJson(context, `/repos/${repo.full_name}/pulls/${number}`);
  const payload = { action, pull_request, ...scene, ...extra };
  context.deliveries.emit('pull_request', action, context.complete('pull_request', payload));
}

/** If it goes into another branch than before; the emulator does not tell. */
export async function tellNewBase(
  { context, repo, actor }: Pick<RouteInput, 'context' | 'repo' | 'actor'>,
  number: number,
  from: { readonly ref: string; readonly sha: string },
): Promise<void> {
  const now = context.store.pullRequests.findBy('repo_id', repo.id).find((row) => row.number === number);
  if (now === undefined || now.base_ref === from.ref) return;
  const repository = await callJson(context, `/repos/${repo.full_name}`);
  const changes = { base: { ref: { from: from.ref }, sha: { from: from.sha } } };
  await emitPull(
    context,
    repo,
    number,
    'edited',
    { repository, sender: await senderOf(context, actor) },
    { changes },
  );
}

function pushPayload(
  context: LabContext,
  repo: RepoRow,
  change: RefChange,
  repository: Json,
  sender: Json,
): Json {
  const fresh = newCommits(context.store, repo.id, change);
  const commits = fresh
    .slice(0, COMMITS_IN_PUSH)
    .reverse()
    .map((commit) => pushedCommit(repo, commit, context.baseUrl));
  return context.complete('push', {
    ref: change.ref,
    before: change.before ?? ZERO,
    after: change.after ?? ZERO,
    created: change.before === undefined,
    deleted: change.after === undefined,
    forced: isForced(context, repo, change),
    base_ref: null,
    compare: `${context.baseUrl}/${repo.full_name}/compare/${change.before ?? ZERO}...${change.after ?? ZERO}`,
    commits,
    head_commit: commits.at(-1) ?? null,
    pusher: { name: sender.login, email: asJson(sender).email ?? null },
    repository,
    sender,
  });
}

function pushedCommit(repo: RepoRow, commit: CommitRow, baseUrl: string): Json {
  return {
    id: commit.sha,
    tree_id: commit.tree_sha,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer_date,
    url: `${baseUrl}/${repo.full_name}/commit/${commit.sha}`,
    author: { name: commit.author_name, email: commit.author_email },
    committer: { name: commit.committer_name, email: commit.committer_email },
    added: [],
    removed: [],
    modified: [],
  };
}
