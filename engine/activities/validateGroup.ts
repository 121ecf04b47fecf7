import { annotationsOf, publishCheck } from '../github/checks.ts';
import { readDefaultBranch } from '../github/pulls.ts';
import { code } from '../github/render/escape.ts';
import { render } from '../github/render/render.ts';
import type { Engine } from './engine.ts';
import { holdingPolicy } from './policy.ts';
import type { MergeGroup, RepositoryRef } from './types.ts';

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
  const defaultBranch = await readDefaultBranch(client, repository);
  const [{ documents, errors, refused, resolution }, holding] = await Promise.all([
    engine.revisions.resolveCommit(repository, headSha),
    holdingPolicy(engine, client, repository, { defaultBranch, baseRef: '', baseSha }),
  ]);
  const hosts = resolution.hosts.length;
  const valid = render({ kind: 'validate', errors, documents, hosts, leftOut: refused });
  const completed = (good: boolean) => ({
    status: 'completed' as const,
    conclusion: good ? ('success' as const) : ('failure' as const),
  });
  const afterMerge = holding.kind === 'policy' && holding.policy.spec?.trigger === 'merge';
  await publishCheck(client, repository, {
    name: 'doaas/validate',
    headSha,
    externalId: `validate-${headSha}-${baseSha}`,
    state: completed(errors.length === 0),
    title: valid.title,
    summary: valid.body,
    annotations: annotationsOf(errors),
  });
  await publishCheck(client, repository, {
    name: 'doaas/plan',
    headSha,
    externalId: `plan-${headSha}`,
    state: completed(afterMerge && errors.length === 0),
    ...planWords(afterMerge, baseRef),
  });
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
