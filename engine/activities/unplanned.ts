import type { GitHubClient } from '../github/client.ts';
import { isRefused } from '../github/errors.ts';
import { previousTip } from '../github/previousTip.ts';
import { getPull, type PullRequest } from '../github/pulls.ts';
import { prose } from '../github/render/escape.ts';
import { recordName } from '../github/workflowIds.ts';
import { messageOf } from '../hosts/host-error.ts';
import { asideOf } from '../policy/aside.ts';
import type { SpecError } from '../spec/manifest.ts';
import type { Engine } from './engine.ts';
import { holdingPolicy } from './policy.ts';
import { openRevertOf } from './revert.ts';
import type { PullRef, Revision } from './types.ts';
import { unreadable } from './validate.ts';

/** Of a pull request that was never looked at while it was open: GitHub sends again what it could not deliver in these days. ms */
const NEWS_MS = 3 * 24 * 60 * 60_000;

const UNSEEN = 'a plan that was approved: it was merged before it was planned';
const UNPLANNED = 'a plan that was approved: there is none, and the checks say why';

/**
 * Merged into the default branch without a plan that could have been judged, where the policy before that merge applies after merges:
 * opens the revert, unless nothing of it concerns a server. `before`: the base that it was seen on while it was open. Safe to repeat.
 * Returns what is to be said; undefined: nothing.
 */
export async function revertUnplanned(
  engine: Engine,
  pull: PullRef,
  before: Pick<Revision, 'baseSha'> | undefined,
): Promise<string | undefined> {
  const { repository, number } = pull;
  const client = await engine.github.installationClient(repository.installationId);
  const merged = await getPull(client, repository, number);
  const { mergeSha, headSha } = merged;
  if (mergeSha === undefined || asideOf(merged) !== undefined) return undefined;
  if (before === undefined && !(await isNews(engine, pull, merged))) return undefined;
  const baseSha = before?.baseSha ?? (await previousTip(client, repository, { number, mergeSha }));
  const holding = await holdingPolicy(engine, client, repository, { ...merged, baseSha });
  if (holding.kind === 'broken' || holding.policy.spec?.trigger !== 'merge') return undefined;
  if (!(await concernsServers(engine, pull, { headSha, baseSha }))) return undefined;
  if (await isOwnRevert(engine, client, merged)) return undefined;
  const missing = before === undefined ? UNSEEN : UNPLANNED;
  const said = `Merged, but not applied. Missing: ${missing}. Nothing was changed`;
  const why = 'which was merged without a plan and was not applied';
  try {
    const { number: revert } = await openRevertOf(client, pull, merged, before, why);
    return `${said}; pull request #${revert} reverts it.`;
  } catch (error) {
    if (!isRefused(error)) throw error;
    return `${said}, and its revert could not be opened. Take it back by hand, or bring it in anew: ${prose(messageOf(error))}`;
  }
}

/** Not an old one that somebody only comments on, nor one that was applied. */
async function isNews(
  { store, github }: Engine,
  { repository, number }: PullRef,
  { mergedAt }: PullRequest,
): Promise<boolean> {
  const runs = await store.runs.ofPull(recordName(repository), number);
  const age = github.now().getTime() - Date.parse(mergedAt ?? '');
  return runs.length === 0 && age < NEWS_MS;
}

/**
 * As the engine opened it: the servers were put back before, or never changed, and a revert of each revert would have no end. Not where
 * somebody else pushed to it.
 */
async function isOwnRevert(
  { store }: Engine,
  { app: { botLogin } }: GitHubClient,
  { author, headRef, headRepositoryId, fork }: PullRequest,
): Promise<boolean> {
  const isNamedSo = author === botLogin && !fork && /^doaas\/revert-\d+(-\d)?$/.test(headRef);
  if (!isNamedSo || headRepositoryId === undefined) return false;
  const pushes = await store.pushes.of({ repositoryId: headRepositoryId, branch: headRef });
  return pushes.every(({ account }) => account.login === botLogin);
}

/** Whether servers are wanted otherwise than before, or documents are mistaken that were not. */
async function concernsServers(engine: Engine, pull: PullRef, revision: Revision): Promise<boolean> {
  const resolved = await engine.revisions.resolve(pull, revision).catch(unreadable);
  if (resolved.kind !== 'resolved' || resolved.changed.length > 0 || resolved.dropped.length > 0) return true;
  const known = new Set(
    (await engine.revisions.resolveCommit(pull.repository, revision.baseSha)).errors.map(keyOf),
  );
  return resolved.errors.some((error) => !known.has(keyOf(error)));
}

/** Lines move. */
function keyOf({ position, message }: SpecError): string {
  return JSON.stringify([position.file, message]);
}
