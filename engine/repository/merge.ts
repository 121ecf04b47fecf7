import { RepositoryError } from './error.ts';
import type { Git, GitCall } from './git.ts';

export type MergedTree =
  | { readonly kind: 'clean'; readonly treeSha: string }
  /** The first paths: enough to tell, and hundreds of merges are remembered. */
  | { readonly kind: 'conflict'; readonly paths: readonly string[] };

/** Paths in conflict that are told of one merge. */
export const CONFLICT_PATHS_MAX = 100;

/** The tree that a merge of `theirs` into `ours` would have, made without a checkout (git 2.38 or newer). */
export async function mergeTrees(git: Git, ours: string, theirs: string): Promise<MergedTree> {
  const only = ['--write-tree', '--name-only', '--no-messages', '-z'];
  return parseMerge(await git.text(['merge-tree', ...only, ours, theirs]));
}

/** `TREE<NUL>`, and after a conflict `PATH<NUL>`...; the messages for people, of which a change can have 1,000 times its own size, are left out. */
export function parseMerge(text: string): MergedTree {
  const [tree = '', ...rest] = text.trimEnd().split('\0');
  const treeSha = tree.trim();
  if (!/^[0-9a-f]{40,64}$/.test(treeSha))
    throw new RepositoryError('git-failed', 'git merge-tree gave no tree');
  if (rest.every((part) => part === '')) return { kind: 'clean', treeSha };
  const paths = new Set(rest.filter((part) => part !== ''));
  return { kind: 'conflict', paths: [...paths].slice(0, CONFLICT_PATHS_MAX) };
}

export interface RevertRequest {
  /** The commit to take back: a merge commit, a squash or a rebased commit. Its first parent is what was before. */
  readonly mergeSha: string;
  /** Tip of the branch that the revert will be merged into; contains `mergeSha`. */
  readonly onto: string;
  readonly message: string;
  readonly identity: NonNullable<GitCall['identity']>;
}

/**
 * A commit on top of `onto` that takes `mergeSha` back; the same request gives the same commit id.
 * Throws `revert-conflict` with the paths that later commits changed too.
 */
export async function revertCommit(git: Git, request: RevertRequest): Promise<string> {
  const { mergeSha, onto, message, identity } = request;
  // A revert is a merge whose base is the reverted commit and whose other side is the state before it. Git 2.39
  // finds the base from history only, so that other side is a helper commit: the old tree as a child of mergeSha.
  const helper = await git.text(['commit-tree', `${mergeSha}^1^{tree}`, '-p', mergeSha, '-m', 'before'], {
    identity,
  });
  const merged = await mergeTrees(git, onto, helper.trim());
  if (merged.kind === 'conflict') {
    throw new RepositoryError(
      'revert-conflict',
      `Later commits changed what ${mergeSha} changed: ${merged.paths.join(', ')}. Revert by hand in a pull request.`,
    );
  }
  return (await git.text(['commit-tree', merged.treeSha, '-p', onto, '-m', message], { identity })).trim();
}
