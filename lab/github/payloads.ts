import { asJson, isJson, type Json } from './json.ts';
import type { PullRow, Store } from './rows.ts';
import { installationOf } from './standing.ts';

export interface PayloadContext {
  readonly store: Store;
  readonly app: Json;
  /** Rows of pull requests that GitHub does not name beside a check. */
  readonly forks: ReadonlySet<number>;
  /** What comments said before they were edited, by their ids. */
  readonly textsBefore: ReadonlyMap<number, string>;
}

/** Completes the emulator's webhook payload to what GitHub sends. Pure but for reads of the store. */
export function completePayload(context: PayloadContext, event: string, payload: unknown): Json {
  const given = asJson(payload);
  const repoId = Number(asJson(given.repository).id);
  const id = installationOf(context.store, context.store.repos.get(repoId))?.installation_id ?? 0;
  const common: Json = { ...given, installation: { id, node_id: `MDIz${id}` } };
  if (event === 'pull_request' && isJson(given.pull_request)) {
    return {
      ...common,
      number: given.pull_request.number,
      pull_request: unsettledMergeability(given.pull_request),
    };
  }
  if (event === 'pull_request_review') return { ...common, review: webhookReview(asJson(given.review)) };
  if (event === 'issue_comment') {
    return {
      ...common,
      issue: issueOfPull(context.store, repoId, asJson(given.issue)),
      ...changesOf(context, given),
    };
  }
  if (event === 'check_run') {
    return { ...common, check_run: completeCheckRun(context, repoId, asJson(given.check_run)) };
  }
  if (event === 'check_suite') {
    const suite = asJson(given.check_suite);
    return {
      ...common,
      check_suite: { ...suite, app: context.app, ...pullsOf(context, repoId, suite) },
    };
  }
  return common;
}

/** GitHub computes mergeability later, so an event of an open pull request never knows it. */
function unsettledMergeability(pull: Json): Json {
  return pull.state === 'open'
    ? { ...pull, mergeable: null, rebaseable: null, mergeable_state: 'unknown' }
    : pull;
}

/** The webhook writes a review's state in lower case, the API in upper case. */
function webhookReview(review: Json): Json {
  return { ...review, state: String(review.state).toLowerCase() };
}

function changesOf({ textsBefore }: PayloadContext, { action, comment }: Json): Json {
  const from = action === 'edited' ? textsBefore.get(Number(asJson(comment).id)) : undefined;
  return from === undefined ? {} : { changes: { body: { from } } };
}

function issueOfPull(store: Store, repoId: number, issue: Json): Json {
  const pull = store.pullRequests.findBy('repo_id', repoId).find((row) => row.number === issue.number);
  if (pull === undefined) return issue;
  const html = String(issue.html_url).replace('/issues/', '/pull/');
  return {
    ...issue,
    html_url: html,
    draft: pull.draft,
    pull_request: {
      url: String(issue.url).replace('/issues/', '/pulls/'),
      html_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      merged_at: pull.merged_at,
    },
  };
}

export function completeCheckRun(context: PayloadContext, repoId: number, run: Json): Json {
  const pulls = pullsOf(context, repoId, run);
  const output = asJson(run.output);
  return {
    ...run,
    app: context.app,
    ...pulls,
    output: { ...output, annotations_url: `${String(run.url)}/annotations` },
    check_suite: { ...asJson(run.check_suite), app: context.app, ...pulls },
  };
}

function pullsOf({ store, forks }: PayloadContext, repoId: number, subject: Json): { pull_requests: Json[] } {
  const pulls = store.pullRequests
    .findBy('repo_id', repoId)
    .filter((row) => row.state === 'open' && row.head_sha === subject.head_sha && !forks.has(row.id));
  return { pull_requests: pulls.map((pull) => briefPull(pull, String(subject.url))) };
}

function briefPull(pull: PullRow, subjectUrl: string): Json {
  const repoUrl = subjectUrl.replace(/\/check-(runs|suites)\/.*$/, '');
  const repo = { id: pull.repo_id, url: repoUrl, name: repoUrl.split('/').at(-1) };
  return {
    id: pull.id,
    number: pull.number,
    url: `${repoUrl}/pulls/${pull.number}`,
    head: { ref: pull.head_ref, sha: pull.head_sha, repo },
    base: { ref: pull.base_ref, sha: pull.base_sha, repo },
  };
}
