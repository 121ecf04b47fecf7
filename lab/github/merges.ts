import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabContext } from './context.ts';
import { git, gitOutput, gitText } from './git.ts';
import { commitContent, objectOf } from './git-objects.ts';
import { type Mirror, writeObject } from './mirror.ts';
import type { PullRow } from './rows.ts';

export type MergeMethod = 'merge' | 'squash' | 'rebase';

/** The tree of `head` merged into `base`, or null where they conflict. */
export function trialMerge(
  context: LabContext,
  mirror: Mirror,
  base: string,
  head: string,
): Promise<string | null> {
  const key = `${mirror.repoId}:${base}:${head}`;
  const known = context.state.trialMerges.get(key);
  if (known) return known;
  const made = mergeTree(mirror, base, head);
  context.state.trialMerges.set(key, made);
  return made;
}

async function mergeTree(mirror: Mirror, base: string, head: string): Promise<string | null> {
  const result = await git(mirror.dir, ['merge-tree', '--write-tree', '--no-messages', base, head]);
  return result.status === 0 ? result.stdout.toString().trim() : null;
}

export function baseTip(mirror: Mirror, pull: PullRow): string {
  return mirror.refs.get(`refs/heads/${pull.base_ref}`) ?? pull.base_sha;
}

export interface Identity {
  readonly name: string;
  readonly email: string;
  /** ISO 8601. */
  readonly date: string;
}

interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly identity: Identity;
}

/** Writes to git only; the store learns of it when it is imported. */
export async function writeCommit(mirror: Mirror, commit: NewCommit): Promise<string> {
  const { name, email, date } = commit.identity;
  const content = commitContent({
    message: commit.message,
    author_name: name,
    author_email: email,
    author_date: date,
    committer_name: name,
    committer_email: email,
    committer_date: date,
    tree_sha: commit.tree,
    parent_shas: commit.parents,
  });
  const object = objectOf('commit', content);
  await writeObject(mirror, object);
  mirror.known.delete(object.sha);
  return object.sha;
}

/** The commit that the base branch gets, or null on a conflict. The branch itself is not moved. */
export async function makeMerge(
  context: LabContext,
  mirror: Mirror,
  pull: PullRow,
  method: MergeMethod,
  message: string,
  identity: Identity,
): Promise<string | null> {
  const base = baseTip(mirror, pull);
  const tree = await trialMerge(context, mirror, base, pull.head_sha);
  if (tree === null) return null;
  if (method === 'rebase') return rebase(mirror, base, pull.head_sha, identity);
  const parents = method === 'merge' ? [base, pull.head_sha] : [base];
  return writeCommit(mirror, { tree, parents, message, identity });
}

async function rebase(
  mirror: Mirror,
  base: string,
  head: string,
  identity: Identity,
): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'doaas-lab-rebase-'));
  const tree = join(folder, 'tree');
  const env = { GIT_COMMITTER_NAME: identity.name, GIT_COMMITTER_EMAIL: identity.email };
  try {
    await gitOutput(mirror.dir, ['worktree', 'add', '--detach', tree, base]);
    const picked = await git(tree, ['cherry-pick', '--allow-empty', `${base}..${head}`], { env });
    return picked.status === 0 ? await gitText(tree, ['rev-parse', 'HEAD']) : null;
  } finally {
    await git(mirror.dir, ['worktree', 'remove', '--force', tree]);
    await rm(folder, { recursive: true, force: true });
  }
}
