import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Account } from './accounts.ts';
import { type LabGitHub, startLabGitHub } from './lab-github.ts';
import { eventsOf as eventsAt, type Receiver, SECRET } from './testing/receiver.ts';
import { startWatchedLab, type WatchedLab } from './testing/watched.ts';

const exec = promisify(execFile);
const CLEAN_GIT = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' };

let lab: LabGitHub;
let receiver: Receiver;
let engine: Octokit;

let close: WatchedLab['close'] | undefined;
beforeAll(async () => {
  ({ lab, receiver, engine, close } = await startWatchedLab());
});
afterAll(() => close?.());

const octokitOf = (user: Account) => new Octokit({ auth: user.token, baseUrl: lab.url });
const engineToken = async () => {
  const found = await engine.auth({ type: 'installation' });
  return found !== null && typeof found === 'object' && 'token' in found ? String(found.token) : '';
};
const cloneUrl = (repo: { owner: string; name: string }, token: string) =>
  `${lab.url.replace('://', `://x-access-token:${token}@`)}/${repo.owner}/${repo.name}.git`;

const eventsOf = (repo: { name: string }, event: string) => eventsAt(lab, receiver, repo, event);

async function withClone<T>(
  url: string,
  work: (dir: string, git: (...args: string[]) => Promise<string>) => Promise<T>,
) {
  const dir = await mkdtemp(join(tmpdir(), 'lab-github-clone-'));
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=Anna', '-c', 'user.email=anna@example.com'];
    return (await exec('git', [...identity, ...args], { cwd: dir, env: CLEAN_GIT })).stdout.trim();
  };
  try {
    await git('clone', '--quiet', url, '.');
    return await work(dir, git);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

describe('who moved a branch', () => {
  test('is listed page by page, whatever names the commits bear', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': '0\n' } });
    const { author, reviewer } = lab.accounts;
    const made = await lab.branchWithChanges(repo, 'moves', { 'a.txt': '1\n' });
    const pushed = await lab.push(repo, 'moves', { 'a.txt': '2\n' }, reviewer, author);
    const forced = await lab.forcePush(repo, 'moves', { 'a.txt': '3\n' });
    const pull = await lab.openPullRequest(repo, { branch: 'moves' });
    const names = { owner: repo.owner, repo: repo.name };
    const commits = await engine.pulls.listCommits({ ...names, pull_number: pull });
    expect(commits.data.map((commit) => commit.author?.login)).toEqual(['anna-author']);
    await lab.mergeByHand(repo, pull, reviewer);
    const list = (query: Record<string, string | number>) =>
      engine.repos.listActivities({ ...names, ref: 'moves', per_page: 2, ...query });
    const first = await list({});
    const cursor = /after=([^&>]+)[^>]*>; rel="next"/.exec(first.headers.link ?? '')?.[1] ?? '';
    const second = await list({ after: cursor });
    const kinds = [...first.data, ...second.data].map(({ activity_type, actor, before, after }) => [
      activity_type,
      actor?.login,
      before.replace(/^0+$/, 'none'),
      after,
    ]);
    expect(kinds).toEqual([
      ['force_push', 'olivia-owner', pushed, forced],
      ['push', 'rob-reviewer', made, pushed],
      ['branch_creation', 'anna-author', 'none', made],
    ]);
    expect(second.headers.link).toBeUndefined();
    await expect(list({ after: 'made-up' })).rejects.toMatchObject({ status: 422 });
    const main = await engine.repos.listActivities({ ...names, ref: 'refs/heads/main' });
    expect(main.data[0]).toMatchObject({ activity_type: 'pr_merge', actor: { login: 'rob-reviewer' } });
    expect(lab.violations()).toEqual([]);
  });
});

describe('git over HTTP', () => {
  test('a clone has what the API committed, and a push appears in the API with synchronize', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n', 'dir/b.txt': 'bé\n' } });
    const sha = await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n', 'dir/b.txt': null });
    const pull = await lab.openPullRequest(repo, { branch: 'change' });
    const token = lab.accounts.author.token;
    const pushed = await withClone(cloneUrl(repo, token), async (dir, git) => {
      expect(await git('rev-parse', 'origin/change')).toBe(sha);
      expect(await git('show', 'origin/main:dir/b.txt')).toBe('bé');
      expect(await git('ls-tree', '-r', '--name-only', 'origin/change')).toBe('a.txt');
      await git('fetch', 'origin', `refs/pull/${pull}/head`);
      expect(await git('rev-parse', 'FETCH_HEAD')).toBe(sha);
      await git('checkout', '--quiet', 'change');
      await writeFile(join(dir, 'a.txt'), 'three\n');
      await git('commit', '--quiet', '-am', 'From git');
      await git('push', '--quiet', 'origin', 'change');
      return git('rev-parse', 'HEAD');
    });
    const found = await engine.pulls.get({ owner: repo.owner, repo: repo.name, pull_number: pull });
    expect(found.data.head.sha).toBe(pushed);
    expect(await lab.fileAt(repo, 'change', 'a.txt')).toBe('three\n');
    const synchronize = (await eventsOf(repo, 'pull_request')).filter(
      (payload) => payload.action === 'synchronize',
    );
    expect(synchronize).toMatchObject([
      { before: sha, after: pushed, number: pull, installation: { id: lab.installationId } },
    ]);
    const last = (await eventsOf(repo, 'push')).at(-1);
    expect(last).toMatchObject({
      ref: 'refs/heads/change',
      before: sha,
      after: pushed,
      forced: false,
      created: false,
    });
  });

  test('the trial merge is fetchable at refs/pull/N/merge and follows the base', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    const head = await lab.branchWithChanges(repo, 'change', { 'b.txt': 'b\n' });
    const pull = await lab.openPullRequest(repo, { branch: 'change' });
    const base = await lab.push(repo, 'main', { 'c.txt': 'c\n' });
    const answer = await engine.pulls.get({ owner: repo.owner, repo: repo.name, pull_number: pull });
    expect(answer.data).toMatchObject({ mergeable: true, mergeable_state: 'clean', changed_files: 1 });
    await withClone(cloneUrl(repo, await engineToken()), async (_, git) => {
      await git('fetch', '--quiet', 'origin', `refs/pull/${pull}/merge`);
      expect(await git('show', '-s', '--format=%H %P', 'FETCH_HEAD')).toBe(
        `${answer.data.merge_commit_sha} ${base} ${head}`,
      );
      expect(await git('ls-tree', '--name-only', 'FETCH_HEAD')).toBe('a.txt\nb.txt\nc.txt');
    });
  });

  test('access is as on GitHub', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' }, private: true });
    const { reader, stranger } = lab.accounts;
    const url = cloneUrl(repo, 'nobody-knows-this-token');
    await expect(withClone(url, async () => {})).rejects.toThrow(/Authentication failed|could not read/);
    await expect(withClone(cloneUrl(repo, stranger.token), async () => {})).rejects.toThrow(/not found/i);
    await withClone(cloneUrl(repo, reader.token), async (_, git) => {
      await git('commit', '--quiet', '--allow-empty', '-m', 'no');
      await expect(git('push', 'origin', 'HEAD:main')).rejects.toThrow(/403/);
    });
  });
});

describe('merging', () => {
  test.each(['merge', 'squash', 'rebase'] as const)(
    '%s makes a real commit on the base',
    async (merge_method) => {
      const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
      const sha = await lab.branchWithChanges(repo, 'change', { 'b.txt': 'b\n' });
      const pull_number = await lab.openPullRequest(repo, { branch: 'change' });
      const base = await lab.push(repo, 'main', { 'c.txt': 'c\n' });
      const merged = await engine.pulls.merge({
        owner: repo.owner,
        repo: repo.name,
        pull_number,
        sha,
        merge_method,
      });
      await withClone(cloneUrl(repo, await engineToken()), async (_, git) => {
        expect(await git('rev-parse', 'origin/main')).toBe(merged.data.sha);
        expect(await git('ls-tree', '--name-only', 'origin/main')).toBe('a.txt\nb.txt\nc.txt');
        const parents = merge_method === 'merge' ? `${base} ${sha}` : base;
        expect(await git('show', '-s', '--format=%P', 'origin/main')).toBe(parents);
      });
      const closed = (await eventsOf(repo, 'pull_request')).filter((payload) => payload.action === 'closed');
      expect(closed).toMatchObject([
        { pull_request: { merged: true, merge_commit_sha: merged.data.sha, state: 'closed' } },
      ]);
      expect(await lab.branchSha(repo, 'main')).toBe(merged.data.sha);
    },
  );

  test('another head answers 409, a conflict 405, a second merge 405', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    const sha = await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    const pull_number = await lab.openPullRequest(repo, { branch: 'change' });
    const target = { owner: repo.owner, repo: repo.name, pull_number };
    const old = await lab.branchSha(repo, 'main');
    await expect(engine.pulls.merge({ ...target, sha: old })).rejects.toMatchObject({ status: 409 });
    await lab.push(repo, 'main', { 'a.txt': 'three\n' });
    await expect(engine.pulls.merge({ ...target, sha })).rejects.toMatchObject({ status: 405 });
    expect(await lab.getPull(repo, pull_number)).toMatchObject({
      mergeable: false,
      mergeable_state: 'dirty',
    });
    await lab.push(repo, 'change', { 'a.txt': 'one\n', 'b.txt': 'b\n' });
    await lab.push(repo, 'main', { 'a.txt': 'one\n' });
    await lab.mergeByHand(repo, pull_number);
    await expect(engine.pulls.merge(target)).rejects.toMatchObject({ status: 405 });
  });

  test('a head that arrives on the base by a push counts as merged', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    const sha = await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    const pull = await lab.openPullRequest(repo, { branch: 'change' });
    await withClone(cloneUrl(repo, lab.accounts.author.token), async (_, git) => {
      await git('push', '--quiet', 'origin', 'origin/change:main');
    });
    expect(await lab.getPull(repo, pull)).toMatchObject({
      merged: true,
      state: 'closed',
      merge_commit_sha: sha,
    });
  });
});

describe('the API', () => {
  test('check runs keep annotations over updates, have buttons, and belong to the App', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    const head_sha = await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    await lab.openPullRequest(repo, { branch: 'change' });
    const target = { owner: repo.owner, repo: repo.name };
    const annotation = (line: number) => ({
      path: 'a.txt',
      start_line: line,
      end_line: line,
      start_column: 3,
      end_column: 4,
      annotation_level: 'failure' as const,
      message: `line ${line}`,
    });
    const many = (from: number) => Array.from({ length: 50 }, (_, index) => annotation(from + index));
    const actions = [{ identifier: 'apply', label: 'Apply', description: 'Apply the plan' }];
    const output = { title: 'Title', summary: 'Summary' };
    const created = await engine.checks.create({
      ...target,
      name: 'doaas/plan',
      head_sha,
      external_id: 'run-1',
      status: 'in_progress',
      actions,
      output: { ...output, annotations: many(1) },
    });
    const check_run_id = created.data.id;
    await engine.checks.update({
      ...target,
      check_run_id,
      status: 'completed',
      conclusion: 'success',
      output: { ...output, annotations: many(51) },
    });
    await expect(
      engine.checks.update({
        ...target,
        check_run_id,
        output: { ...output, annotations: [...many(1), annotation(9)] },
      }),
    ).rejects.toMatchObject({ status: 422 });
    const listed = await engine.paginate(engine.checks.listAnnotations, {
      ...target,
      check_run_id,
      per_page: 100,
    });
    expect(listed).toHaveLength(100);
    expect(listed[99]).toMatchObject({ message: 'line 100', start_column: 3 });
    const runs = await engine.checks.listForRef({ ...target, ref: head_sha });
    expect(runs.data.check_runs).toMatchObject([
      { external_id: 'run-1', app: { slug: lab.app.slug }, output: { annotations_count: 100 } },
    ]);
    await lab.clickCheckButton(repo, check_run_id, 'apply', lab.accounts.reviewer);
    const clicked = (await eventsOf(repo, 'check_run')).filter(
      (payload) => payload.action === 'requested_action',
    );
    expect(clicked).toMatchObject([
      {
        requested_action: { identifier: 'apply' },
        sender: { login: lab.accounts.reviewer.login },
        check_run: { external_id: 'run-1', pull_requests: [{ head: { sha: head_sha } }] },
      },
    ]);
    await expect(
      octokitOf(lab.accounts.author).checks.create({ ...target, name: 'forged', head_sha }),
    ).rejects.toMatchObject({ status: 403 });
  });

  test('permissions of admin, writer, reader and stranger', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' }, private: true });
    const levels = await Promise.all(
      Object.values(lab.accounts).map(async ({ login }: Account) => {
        const target = { owner: repo.owner, repo: repo.name, username: login };
        return (await engine.repos.getCollaboratorPermissionLevel(target)).data.permission;
      }),
    );
    expect(levels).toEqual(['admin', 'write', 'write', 'write', 'read', 'none']);
  });

  test('reviews, comments and reactions, with their events', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    const sha = await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    const pull = await lab.openPullRequest(repo, { branch: 'change' });
    const target = { owner: repo.owner, repo: repo.name };
    const { author, reviewer } = lab.accounts;
    await expect(lab.review(repo, pull, author, 'APPROVE')).rejects.toThrow(/own pull request/);
    const review = await lab.review(repo, pull, reviewer, 'APPROVE');
    await lab.dismissReview(repo, pull, review);
    const reviews = await engine.pulls.listReviews({ ...target, pull_number: pull });
    expect(reviews.data).toMatchObject([
      { state: 'DISMISSED', commit_id: sha, user: { login: reviewer.login } },
    ]);
    const submitted = (await eventsOf(repo, 'pull_request_review')).map(({ action, review: made }) => [
      action,
      made,
    ]);
    expect(submitted).toMatchObject([
      ['submitted', { state: 'approved' }],
      ['dismissed', { state: 'dismissed' }],
    ]);
    const comment_id = await lab.comment(repo, pull, reviewer, '/doaas apply');
    expect(await eventsOf(repo, 'issue_comment')).toMatchObject([
      {
        action: 'created',
        issue: { number: pull, pull_request: { merged_at: null } },
        comment: { id: comment_id },
      },
    ]);
    await lab.editComment(repo, comment_id, '/doaas plan', reviewer);
    expect((await eventsOf(repo, 'issue_comment')).at(-1)).toMatchObject({
      action: 'edited',
      comment: { body: '/doaas plan' },
      changes: { body: { from: '/doaas apply' } },
    });
    const reaction = await engine.reactions.createForIssueComment({ ...target, comment_id, content: 'eyes' });
    expect(reaction.data).toMatchObject({ content: 'eyes', user: { login: `${lab.app.slug}[bot]` } });
    expect(await lab.listReactions(repo, comment_id)).toHaveLength(1);
    const body = 'x'.repeat(65_537);
    await expect(engine.issues.createComment({ ...target, issue_number: pull, body })).rejects.toMatchObject({
      status: 422,
    });
    const files = await engine.pulls.listFiles({ ...target, pull_number: pull });
    expect(files.data).toMatchObject([
      { filename: 'a.txt', status: 'modified', patch: '@@ -1 +1 @@\n-one\n+two' },
    ]);
  });

  test('the life of a pull request is announced', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    const pull = await lab.openPullRequest(repo, { branch: 'change', draft: true });
    await lab.setDraft(repo, pull, false);
    await lab.editPull(repo, pull, { title: 'Better' });
    await lab.closePullRequest(repo, pull);
    await lab.reopenPullRequest(repo, pull);
    await lab.branchWithChanges(repo, 'other', { 'b.txt': 'b\n' });
    await lab.editPull(repo, pull, { base: 'other' });
    const events = await eventsOf(repo, 'pull_request');
    const actions = events.map((payload) => payload.action);
    expect(actions.sort()).toEqual(['closed', 'edited', 'edited', 'opened', 'ready_for_review', 'reopened']);
    expect(events.at(-1)).toMatchObject({
      action: 'edited',
      changes: { base: { ref: { from: 'main' } } },
      pull_request: { base: { ref: 'other' } },
    });
  });
});

test('requests that GitHub does not describe are violations', async () => {
  const own = await startLabGitHub({ webhookSecret: SECRET });
  try {
    const { owner } = await own.createRepository({ name: 'infra', files: { 'a.txt': 'one\n' } });
    const octokit = new Octokit({ auth: own.accounts.author.token, baseUrl: `${own.url}/api/v3` });
    await octokit.repos.get({ owner, repo: 'infra' });
    expect(own.violations()).toEqual([]);
    await octokit.request('GET /repos/{owner}/{repo}/wishes', { owner, repo: 'infra' }).catch(() => {});
    await octokit.request({ method: 'POST', url: '/repos/acme/infra/pulls', head: 5 }).catch(() => {});
    expect(own.violations().map((violation) => violation.problems)).toEqual([
      ['GitHub has no GET /repos/acme/infra/wishes'],
      expect.arrayContaining(["POST /repos/{owner}/{repo}/pulls: body must have required property 'base'"]),
    ]);
  } finally {
    await own.close();
  }
});

test('nothing that octokit sent in these tests is against the description, but for what was meant to be', () => {
  const meant = /annotations must NOT have more than 50 items/;
  const problems = lab.violations().flatMap((violation) => violation.problems);
  expect(problems.filter((problem) => !meant.test(problem))).toEqual([]);
});
