import type { MergeMethod, PullRequest } from '../github/pulls.ts';
import { sayBranch } from './aside.ts';

type Seen = Pick<PullRequest, 'baseRef' | 'mergeableState'>;

/**
 * Why GitHub would refuse the merge at the end of a run, as far as nothing that the run does changes it. `allowed`: undefined where GitHub
 * does not say. Its words are those of `MergeStateStatus`, https://docs.github.com/en/graphql/reference/enums#mergestatestatus.
 */
export function unmergeable(
  { baseRef, mergeableState }: Seen,
  method: MergeMethod,
  allowed: readonly MergeMethod[] | undefined,
): readonly string[] {
  const base = sayBranch(baseRef);
  return [
    ...(mergeableState === 'dirty'
      ? [`GitHub says that the branch conflicts with ${base}; merge ${base} into it and push`]
      : []),
    // GitHub says so only where the rules want it
    ...(mergeableState === 'behind'
      ? [
          `the branch is behind ${base}, whose rules on GitHub want it up to date; press "Update branch" on the pull request, which is planned anew then`,
        ]
      : []),
    ...(allowed === undefined || allowed.includes(method) ? [] : [sayMethod(method, allowed)]),
  ];
}

function sayMethod(method: MergeMethod, allowed: readonly MergeMethod[]): string {
  const instead = allowed.length === 0 ? 'none' : allowed.join(', ');
  return `the policy's mergeMethod is ${method}, which the repository does not allow (it allows ${instead}); change the policy, or allow it in the repository's settings under Pull Requests`;
}

/** A remark and no more: checks that the run itself makes green may be all that is missing. */
export function blockedRemark({ baseRef, mergeableState }: Seen): readonly string[] {
  if (mergeableState !== 'blocked') return [];
  return [
    `GitHub says that the rules of ${sayBranch(baseRef)} block the merge now. It is so until the required checks are green, doaas/apply and doaas/verify among them. If the rules ask for more, such as reviews, GitHub refuses the merge in the end, and everything is put back.`,
  ];
}
