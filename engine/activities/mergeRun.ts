import type { GitHubClient } from '../github/client.ts';
import { GitHubError } from '../github/errors.ts';
import { commitsOf, mergeMessage } from '../github/mergeMessage.ts';
import { getPull, type MergeMethod, mergePull as mergeOnGitHub, type PullRequest } from '../github/pulls.ts';
import { overrideInMessage } from '../github/render/override.ts';
import { asideOf, sayAside } from '../policy/aside.ts';
import type { Engine } from './engine.ts';
import { settingsOf } from './mergeRules.ts';
import { mergeIsAnswered, waitsForMerge } from './patience.ts';
import { mergeMethod } from './revert.ts';
import { ifAllowed } from './show.ts';
import { isToldBeforeMerge, showRun } from './showRun.ts';
import type { MergeOutcome, RunRef } from './types.ts';

/** Safe to repeat. While GitHub says that a merge is under way it throws, for Temporal to try again. */
export async function mergePull(engine: Engine, run: RunRef): Promise<MergeOutcome> {
  const { pull, plan } = run;
  const client = await engine.github.installationClient(pull.repository.installationId);
  const snapshot = await getPull(client, pull.repository, pull.number);
  // merged there, the default branch would not say what its servers are
  const aside = asideOf(snapshot);
  if (aside !== undefined) return { kind: 'refused', reason: sayAside(aside) };
  await showBefore(engine, run, snapshot);
  const method = await mergeMethod(engine, client, pull, snapshot);
  const merged = await mergeOnGitHub(client, pull.repository, {
    number: pull.number,
    headSha: plan.headSha,
    method,
    message: await messageOf(client, run, snapshot, method),
  });
  if (merged.kind === 'busy' && waitsForMerge())
    throw new GitHubError('github-unavailable', merged.reason, { status: 405 });
  mergeIsAnswered();
  if (merged.kind !== 'merged')
    return { kind: 'refused', reason: `GitHub refused the merge: ${merged.reason}` };
  return { kind: 'merged', mergeSha: merged.sha, differs: await differs(engine, run, merged.sha) };
}

async function messageOf(
  client: GitHubClient,
  { run, pull: { repository, number }, plan, context }: RunRef,
  snapshot: PullRequest,
  method: MergeMethod,
): Promise<string> {
  const override = context?.override;
  const ours = [
    `Applied by run ${run}, plan ${plan.digest.slice(0, 12)}.`,
    ...(override === undefined ? [] : [overrideInMessage(override)]),
  ].join('\n\n');
  const [settings, commits] = await Promise.all([
    settingsOf(client, repository),
    method === 'squash' ? commitsOf(client, repository, number) : [],
  ]);
  return mergeMessage(method, settings, snapshot, commits, ours);
}

/** With these the rules of the branch miss nothing; `unstable` is of checks that nobody requires. */
const MERGES = new Set(['clean', 'unstable', 'has_hooks']);

/**
 * While servers were changed nothing waited for GitHub, so after an outage the checks may still say that they run, and the rules may
 * require them.
 */
async function showBefore(engine: Engine, run: RunRef, snapshot: PullRequest): Promise<void> {
  const { state, headSha, mergeableState } = snapshot;
  if (state !== 'open' || headSha !== run.plan.headSha) return;
  if (MERGES.has(mergeableState) || isToldBeforeMerge(run.run)) return;
  await ifAllowed(engine.log, 'the checks before the merge', showRun(engine, run, { kind: 'merging' }));
}

/** Whether the merged tree is another one than what was planned. */
async function differs(engine: Engine, run: RunRef, mergeSha: string): Promise<boolean> {
  const resolved = await engine.revisions.resolve(run.pull, run.plan);
  if (resolved.kind === 'conflict') return true;
  return (await engine.revisions.treeOf(run.pull, mergeSha)) !== resolved.treeSha;
}
