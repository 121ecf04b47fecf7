import type { GitHubClient } from '../github/client.ts';
import { previousTip } from '../github/previousTip.ts';
import { getPull, type MergeMethod, type PullRequest } from '../github/pulls.ts';
import { type OpenedPull, openRevert } from '../github/revert.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { holdingPolicy } from './policy.ts';
import { keepDetail } from './runDetail.ts';
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
  const { number } = await openRevertOf(client, pull, merged, run.plan, whyOf(run));
  // one that never began is in no store
  if ((await engine.store.runs.get(run.run)) !== undefined) await keepDetail(engine, run, { revert: number });
  return number;
}

function whyOf({ run, mergeSha }: RunRef): string {
  return mergeSha === undefined
    ? `whose run \`${run}\` is to be taken back on the servers`
    : 'which was merged and could not be applied';
}

/** `planned`: what it was planned on, if it was. */
export async function openRevertOf(
  client: GitHubClient,
  { repository, number }: PullRef,
  { mergeSha, baseRef, title }: PullRequest,
  planned: Pick<Revision, 'baseSha'> | undefined,
  why: string,
): Promise<OpenedPull> {
  if (mergeSha === undefined) throw permanent(`#${number} is not merged, so there is nothing to revert`);
  return openRevert(client, repository, {
    number,
    baseRef,
    mergeSha,
    beforeSha: await previousTip(client, repository, { number, mergeSha }, planned?.baseSha),
    title: `Revert #${number}: ${title}`.slice(0, 250),
    body: `Takes back #${number}, ${why}. Where its plan has nothing to do, the servers are back already: merge it so that the branch equals them again. Else apply it.`,
  });
}
