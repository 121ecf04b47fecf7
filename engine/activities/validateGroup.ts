import { annotationsOf, publishCheck } from '../github/checks.ts';
import { code } from '../github/render/escape.ts';
import { render } from '../github/render/render.ts';
import { defaultBranchOf } from '../github/repositories.ts';
import { type Aside, asideOf } from '../policy/aside.ts';
import type { SpecError } from '../spec/manifest.ts';
import type { Engine } from './engine.ts';
import { type HoldingPolicy, holdingPolicy } from './policy.ts';
import type { ResolvedTree } from './revisions.ts';
import type { MergeGroup, RepositoryRef } from './types.ts';
import { type Unreadable, unreadable } from './validate.ts';

/**
 * A merge queue asks for the required checks on the commit that it would merge. `doaas/validate` is what it is; `doaas/plan` can only
 * pass where the policy applies after the merge, for a queue merges what nobody has applied yet.
 */
export async function validateGroup(
  engine: Engine,
  repository: RepositoryRef,
  { headSha, baseSha, baseRef }: MergeGroup,
): Promise<void> {
  const client = await engine.github.installationClient(repository.installationId);
  const defaultBranch = await defaultBranchOf(client, repository);
  const [tree, holding] = await Promise.all([
    engine.revisions.resolveCommit(repository, headSha).catch(unreadable),
    holdingPolicy(engine, client, repository, { defaultBranch, baseRef: '', baseSha }),
  ]);
  const errors = 'kind' in tree ? [] : groupErrors(tree, holding);
  const good = !('kind' in tree) && errors.length === 0;
  const completed = (success: boolean) => ({
    status: 'completed' as const,
    conclusion: success ? ('success' as const) : ('failure' as const),
  });
  const afterMerge = holding.kind === 'policy' && holding.policy.spec?.trigger === 'merge';
  const aside = asideOf({ baseRef, defaultBranch });
  await publishCheck(client, repository, {
    name: 'doaas/validate',
    headSha,
    externalId: `validate-${headSha}-${baseSha}`,
    state: completed(good),
    ...validWords(tree, errors),
    annotations: annotationsOf(errors),
  });
  await publishCheck(client, repository, {
    name: 'doaas/plan',
    headSha,
    externalId: `plan-${headSha}`,
    state: completed((afterMerge || aside !== undefined) && good),
    ...(aside === undefined ? planWords(afterMerge, baseRef) : asideWords(aside)),
  });
}

/** Each pull request of the group was held to what is pinned already. */
function groupErrors({ errors, unpinned }: ResolvedTree, holding: HoldingPolicy): readonly SpecError[] {
  if (holding.kind === 'policy' && holding.policy.spec?.hostKeys === 'firstUse') return errors;
  return [...errors, ...unpinned.map(({ error }) => error)];
}

function validWords(tree: ResolvedTree | Unreadable, errors: readonly SpecError[]) {
  if ('kind' in tree) return { title: 'The repository cannot be read', summary: tree.reason };
  const { documents, refused, resolution } = tree;
  const hosts = resolution.hosts.length;
  const { title, body } = render({ kind: 'validate', errors, documents, hosts, leftOut: refused });
  return { title, summary: body };
}

function asideWords({ into, defaultBranch }: Aside) {
  return {
    title: 'Not applied',
    summary: `This goes into ${code(into)}; only what goes into ${code(defaultBranch)} is applied.`,
  };
}

function planWords(afterMerge: boolean, baseRef: string) {
  if (afterMerge)
    return {
      title: 'Applied after the merge',
      summary:
        'Each pull request of this group was planned and judged by itself, and is judged once more when it is merged.',
    };
  return {
    title: 'A merge queue would merge what is not applied',
    summary: `The policy applies before the merge, so that ${code(baseRef)} never says what the servers are not. Set \`trigger: merge\` in the policy to use a merge queue.`,
  };
}
