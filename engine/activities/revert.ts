import type { GitHubClient } from '../github/client.ts';
import { getPull, type MergeMethod, type PullRequest } from '../github/pulls.ts';
import { type OpenedPull, openRevert } from '../github/revert.ts';
import { strayedOnto } from './beforeMerge.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { holdingPolicy } from './policy.ts';
import type { PullRef, Revision, RunRef } from './types.ts';

/** As the policy says now; one that broke meanwhile does not keep an applied change from being merged. */
export async function mergeMethod(
  engine: Engine,
  client: GitHubClient,
  { repository }: PullRef,
  snapshot: PullRequest,
): Promise<MergeMethod> {
  const holding = await holdingPolicy(engine, client, repository, snapshot);
  return (holding.kind === 'policy' ? holding.policy.spec?.mergeMethod : undefined) ?? 'merge';
}

export async function revert(engine: Engine, run: RunRef): Promise<number> {
  const { pull } = run;
  const client = await engine.github.installationClient(pull.repository.installationId);
  const merged = await getPull(client, pull.repository, pull.number);
  return (await openRevertOf(engine, client, pull, merged, run.plan, whyOf(run))).number;
}

function whyOf({ run, mergeSha }: RunRef): string {
  return mergeSha === undefined
    ? `whose run \`${run}\` is being rolled back on the hosts`
    : 'which was merged and could not be applied';
}

/** `planned`: what it was planned on, if it was. */
export async function openRevertOf(
  engine: Engine,
  client: GitHubClient,
  pull: PullRef,
  merged: PullRequest,
  planned: Pick<Revision, 'baseSha'> | undefined,
  why: string,
): Promise<OpenedPull> {
  const { repository, number } = pull;
  if (merged.mergeSha === undefined)
    throw permanent(`#${number} is not merged, so there is nothing to revert`);
  return openRevert(client, repository, {
    number,
    baseRef: merged.baseRef,
    mergeSha: merged.mergeSha,
    ...(await beforeRebase(engine, client, pull, merged, planned)),
    title: `Revert #${number}: ${merged.title}`.slice(0, 250),
    body: `Takes back #${number}, ${why}. Merge it so that the branch equals the hosts again.`,
  });
}

/** A rebase leaves no commit that names both sides; what was before it is the base that was planned, if it came on that one. */
async function beforeRebase(
  engine: Engine,
  client: GitHubClient,
  pull: PullRef,
  merged: PullRequest,
  planned: Pick<Revision, 'baseSha'> | undefined,
): Promise<{ readonly beforeSha?: string }> {
  if (planned === undefined || (await mergeMethod(engine, client, pull, merged)) !== 'rebase') return {};
  const strayed = await strayedOnto(engine, client, pull.repository, planned, merged);
  return strayed === undefined ? { beforeSha: planned.baseSha } : {};
}
