import type { LabContext } from './context.ts';
import { type DiffStatistics, diffStatistics } from './files.ts';
import { newCommits } from './history.ts';
import { baseTip, trialMerge, writeCommit } from './merges.ts';
import { type Mirror, writeRef } from './mirror.ts';
import type { PullRow } from './rows.ts';

/** What GitHub works out about a pull request with git. */
export interface PullFacts extends DiffStatistics {
  readonly commits: number;
  readonly mergeable: boolean | null;
  readonly mergeable_state: 'clean' | 'dirty' | 'draft' | 'unknown';
  readonly rebaseable: boolean | null;
  /** Before the merge: the test merge commit, at `refs/pull/N/merge`. */
  readonly merge_commit_sha: string | null;
}

/** Asks git once per state of the pull request and its base. Sets `refs/pull/N/merge`, as GitHub does when asked. */
export function pullFacts(context: LabContext, mirror: Mirror, pull: PullRow): Promise<PullFacts> {
  const base = pull.merged ? pull.base_sha : baseTip(mirror, pull);
  const key = [mirror.repoId, pull.number, pull.state, pull.draft, base, pull.head_sha].join(':');
  const known = context.state.pullFacts.get(key);
  if (known) return known;
  const made = findFacts(context, mirror, pull);
  context.state.pullFacts.set(key, made);
  made.catch(() => context.state.pullFacts.delete(key));
  return made;
}

async function findFacts(context: LabContext, mirror: Mirror, pull: PullRow): Promise<PullFacts> {
  if (pull.state === 'closed') {
    const statistics = await diffStatistics(mirror, pull);
    const { merge_commit_sha, commits } = pull;
    return {
      ...statistics,
      commits,
      mergeable: null,
      mergeable_state: 'unknown',
      rebaseable: null,
      merge_commit_sha,
    };
  }
  const base = baseTip(mirror, pull);
  const commits = newCommits(context.store, mirror.repoId, { before: base, after: pull.head_sha }).length;
  const [statistics, tree] = await Promise.all([
    diffStatistics(mirror, pull),
    trialMerge(context, mirror, base, pull.head_sha),
  ]);
  if (tree === null) {
    const conflict = { mergeable: false, mergeable_state: 'dirty', rebaseable: false } as const;
    return { ...statistics, commits, ...conflict, merge_commit_sha: null };
  }
  const merge_commit_sha = await writeTestMerge(context, mirror, pull, base, tree);
  const mergeable_state = pull.draft ? 'draft' : 'clean';
  return { ...statistics, commits, mergeable: true, mergeable_state, rebaseable: true, merge_commit_sha };
}

/** Dated by the head, so that the same merge always has the same id. */
async function writeTestMerge(
  context: LabContext,
  mirror: Mirror,
  pull: PullRow,
  base: string,
  tree: string,
): Promise<string> {
  const head = context.store.commits.findBy('sha', pull.head_sha)[0];
  const date = head?.committer_date ?? pull.created_at;
  const identity = { name: 'GitHub', email: 'noreply@github.com', date };
  const message = `Merge ${pull.head_sha} into ${base}`;
  const sha = await writeCommit(mirror, { tree, parents: [base, pull.head_sha], message, identity });
  await writeRef(mirror, `refs/pull/${pull.number}/merge`, sha);
  return sha;
}
