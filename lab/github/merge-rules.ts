import { problem } from './answers.ts';
import type { ApiAnswer } from './context.ts';
import { git } from './git.ts';
import type { Json } from './json.ts';
import { baseTip, type MergeMethod } from './merges.ts';
import type { Mirror } from './mirror.ts';
import type { PullFacts } from './pull-facts.ts';
import type { RouteInput } from './routes.ts';
import type { ProtectionRow, PullRow } from './rows.ts';

export function methodOf(value: unknown): MergeMethod {
  return value === 'squash' || value === 'rebase' ? value : 'merge';
}

export function mergeRefusal(input: RouteInput, pull: PullRow, body: Json): ApiAnswer | undefined {
  const { repo } = input;
  const method = methodOf(body.merge_method);
  const allowed = {
    merge: repo.allow_merge_commit,
    squash: repo.allow_squash_merge,
    rebase: repo.allow_rebase_merge,
  };
  if (pull.state === 'closed') return problem(405, 'Pull Request is not mergeable');
  if (pull.draft) return problem(405, 'Pull Request is still a draft');
  if (typeof body.sha === 'string' && body.sha !== pull.head_sha) {
    return problem(409, 'Head branch was modified. Review and try the merge again.');
  }
  if (!allowed[method]) return problem(405, `${method} is not allowed on this repository.`);
  const missing = missingRequirement(input, pull);
  return missing === undefined ? undefined : problem(405, missing);
}

function missingRequirement(input: RouteInput, pull: PullRow): string | undefined {
  const { repo } = input;
  const { store } = input.context;
  const rule = ruleOf(input, pull);
  const runs = store.checkRuns.findBy('head_sha', pull.head_sha);
  const missing = (rule?.required_status_checks?.contexts ?? []).find(
    (name) => !runs.some((run) => run.name === name && run.conclusion === 'success'),
  );
  if (missing !== undefined) return `Required status check "${missing}" is expected.`;
  const needed = rule?.required_pull_request_reviews?.required_approving_review_count ?? 0;
  const approvals = store.reviews
    .findBy('repo_id', repo.id)
    .filter((row) => row.pull_number === pull.number && row.state === 'APPROVED');
  if (new Set(approvals.map((row) => row.user_id)).size >= needed) return undefined;
  return `At least ${needed} approving review is required by reviewers with write access.`;
}

function ruleOf({ context: { store }, repo }: RouteInput, pull: PullRow): ProtectionRow | undefined {
  return store.branchProtections.findBy('repo_id', repo.id).find((row) => row.branch_name === pull.base_ref);
}

/** What the rules of the branch make of what git would merge. */
export async function mergeabilityOf(
  input: RouteInput,
  mirror: Mirror,
  pull: PullRow,
  state: PullFacts['mergeable_state'],
): Promise<PullFacts['mergeable_state'] | 'behind' | 'blocked'> {
  if (state !== 'clean') return state;
  if (missingRequirement(input, pull) !== undefined) return 'blocked';
  if (ruleOf(input, pull)?.required_status_checks?.strict !== true) return state;
  const has = ['merge-base', '--is-ancestor', baseTip(mirror, pull), pull.head_sha];
  return (await git(mirror.dir, has)).status === 0 ? state : 'behind';
}
