import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAppKey } from '../../lab/github/accounts.ts';
import { primaryRateLimit, secondaryRateLimit } from '../../lab/github/faults.ts';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { secret } from '../config/secret.ts';
import { createLogger } from '../log.ts';
import { appKeyFrom } from './appKey.ts';
import { type CheckView, publishCheck } from './checks.ts';
import { createGitHub, type GitHub, type GitHubClient, type Repo } from './client.ts';
import { keepComment, marker, publishComment, react, replyTo } from './comment.ts';
import { GitHubError } from './errors.ts';
import { createKnown } from './known.ts';
import { branchTip, getPull, mergePull } from './pulls.ts';
import { latestReviews, permissionOf } from './reviews.ts';

/** Two cores, shared with the rest of the suite. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let lab: LabGitHub;
let github: GitHub;
let client: GitHubClient;
let repo: Repo;
const logged: string[] = [];

beforeAll(async () => {
  lab = await startLabGitHub({ webhookSecret: 'a-secret-of-the-lab-16' });
  github = createGitHub(
    configOf(lab.app.privateKey),
    createLogger('debug', { write: (line) => void logged.push(line) }),
  );
  client = await github.installationClient(lab.installationId);
});

afterAll(async () => {
  await lab?.close();
  expect(logged.join('')).not.toMatch(/ghs_|BEGIN RSA|eyJ/);
});

beforeEach(async () => {
  repo = await lab.createRepository({ files: { 'web.yaml': 'a: 1\n', 'other.yaml': 'x: 1\n' } });
});

/** What we send must be what GitHub's own description of its API allows. */
afterEach(() => {
  lab.faults.clear();
  expect(problems()).toEqual([]);
});

/** The lab takes `commits/SHA/check-runs` for `commits/{ref}`; that complaint is the lab's. */
function problems(): readonly string[] {
  return lab
    .violations()
    .flatMap((violation) => violation.problems)
    .filter((text) => !/commits\/\{ref\}: unknown query/.test(text));
}

function configOf(privateKey: string) {
  return {
    githubApiUrl: lab.url,
    githubAppId: lab.app.id,
    githubPrivateKey: secret(privateKey),
    githubWritesPerMinute: 100_000,
  };
}

async function openPull(files: Record<string, string> = { 'web.yaml': 'a: 2\n' }) {
  const branch = `change-${Object.keys(files).join('-').replaceAll('.', '-')}`;
  const headSha = await lab.branchWithChanges(repo, branch, files);
  return { headSha, number: await lab.openPullRequest(repo, { branch }) };
}

function check(headSha: string, given: Partial<CheckView> = {}): CheckView {
  return {
    name: 'doaas/plan',
    headSha,
    externalId: 'run-1',
    state: { status: 'in_progress' },
    title: 'Planning',
    summary: 'one moment',
    ...given,
  };
}

function sent(method: string, path: RegExp): number {
  return lab.requests().filter((r) => r.method === method && path.test(r.path) && r.path.includes(repo.name))
    .length;
}

function isLimited(error: unknown): true {
  if (error instanceof GitHubError && error.type === 'github-rate-limited') return true;
  throw error;
}

describe('the client', () => {
  test('knows who it is and has a token for git', async () => {
    expect(client.app).toEqual({ id: lab.app.id, slug: 'doaas', botLogin: 'doaas[bot]' });
    expect((await github.installationToken(lab.installationId)).reveal()).toMatch(/^gh/);
    expect(await github.installationOf(repo)).toBe(lab.installationId);
  });

  test('another key on disk is used without a restart, also where the old one is revoked at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'doaas-app-key-'));
    const file = join(folder, 'key.pem');
    try {
      await writeFile(file, lab.app.privateKey);
      const config = configOf(lab.app.privateKey);
      const log = createLogger('debug', { write: (line) => void logged.push(line) });
      const rotating = createGitHub(config, log, {
        key: appKeyFrom(config.githubPrivateKey, file, log),
      });
      expect(await rotating.installations()).toContain(lab.installationId);
      const next = await createAppKey();
      lab.setAppKey(next);
      await expect(rotating.installations()).rejects.toMatchObject({ type: 'github-unauthorized' });
      await writeFile(`${file}.new`, next.slice(0, 200));
      await rename(`${file}.new`, file);
      await expect(rotating.installations()).rejects.toMatchObject({ type: 'github-unauthorized' });
      await writeFile(`${file}.new`, next);
      await rename(`${file}.new`, file);
      expect(await rotating.installations()).toContain(lab.installationId);
      expect((await rotating.installationToken(lab.installationId)).reveal()).toMatch(/^gh/);
      await rotating.redeliverMissed(Date.now());
      expect(logged.join('')).toContain('the App has another private key now');
    } finally {
      lab.setAppKey(lab.app.privateKey);
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a token that ended before its time is replaced', async () => {
    const number = (await openPull()).number;
    await getPull(client, repo, number);
    lab.expireTokens();
    expect((await getPull(client, repo, number)).number).toBe(number);
  });

  test('a token that was made before a permission was granted is replaced, and a refusal without it is one', async () => {
    const { headSha } = await openPull();
    await lab.setAppPermissions({ checks: 'none' });
    try {
      lab.expireTokens();
      const refused = { type: 'github-refused', status: 403 };
      await expect(publishCheck(client, repo, check(headSha))).rejects.toMatchObject(refused);
    } finally {
      await lab.setAppPermissions({ checks: 'write' });
    }
    await publishCheck(client, repo, check(headSha));
  });

  test('goes on at once where the clock of the machine is set back', async () => {
    const number = (await openPull()).number;
    const own = createGitHub(configOf(lab.app.privateKey), createLogger('silent'));
    await getPull(await own.installationClient(lab.installationId), repo, number);
    const real = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: real - 44 * 60_000 });
    try {
      const before = performance.now();
      expect((await getPull(await own.installationClient(lab.installationId), repo, number)).number).toBe(
        number,
      );
      expect(performance.now() - before).toBeLessThan(15_000);
      expect(Math.abs(own.now().getTime() - real)).toBeLessThan(15_000);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a wrong key is said in words', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs1', format: 'pem' })
      .toString();
    const failed: string[] = [];
    const onFailed = (type: string) => void failed.push(type);
    const stranger = createGitHub(configOf(other), createLogger('silent'), { onFailed });
    await expect(stranger.installationClient(1)).rejects.toMatchObject({
      type: 'github-unauthorized',
      retryable: false,
      message: expect.stringContaining("GitHub does not accept the App's key"),
    });
    expect(failed).toEqual(['github-unauthorized']);
  });

  test.each([
    ['404', { status: 404 }, { type: 'github-not-found', retryable: false }, 1],
    [
      '422',
      { status: 422, body: { message: 'Validation Failed' } },
      { type: 'github-refused', retryable: false },
      1,
    ],
    [
      'secondary limit',
      secondaryRateLimit(77),
      { type: 'github-rate-limited', retryable: true, retryAfterSeconds: 77 },
      1,
    ],
    [
      '429',
      { status: 429, headers: { 'retry-after': '5' } },
      { type: 'github-rate-limited', retryAfterSeconds: 5 },
      1,
    ],
    ['lasting 5xx', { status: 502 }, { type: 'github-unavailable', retryable: true }, 3],
  ])('%s becomes an error with a type', async (_, respond, expected, requests) => {
    lab.faults.add({ path: /git\/ref/, times: 10, respond });
    // of its own, as one that is limited sends nothing more for a while
    const failed: string[] = [];
    const onFailed = (type: string) => void failed.push(type);
    const made = createGitHub(configOf(lab.app.privateKey), createLogger('silent'), { onFailed });
    const own = await made.installationClient(lab.installationId);
    await expect(branchTip(own, repo, 'main')).rejects.toMatchObject(expected);
    expect(sent('GET', /git\/ref/)).toBe(requests);
    expect(failed).toEqual(Array.from({ length: requests }, () => expected.type));
  });

  test.each([
    ['429', { status: 429, headers: { 'retry-after': '4' } }],
    ['403', secondaryRateLimit(4)],
    ['403 until a reset', () => primaryRateLimit(Math.ceil(Date.now() / 1000) + 10)],
  ])('between a %s and the end of what it asks for, nothing at all is sent', async (_, respond) => {
    const heardAt: number[] = [];
    const onFailed = (type: string) => type === 'github-rate-limited' && heardAt.push(performance.now());
    const own = createGitHub(configOf(lab.app.privateKey), createLogger('silent'), { onFailed });
    const limited = await own.installationClient(lab.installationId);
    const { headSha, number } = await openPull();
    await getPull(limited, repo, number);
    const answer = typeof respond === 'function' ? respond() : respond;
    lab.faults.add({ path: /git\/ref/, times: 1, respond: answer });
    const refused = await branchTip(limited, repo, 'main').catch((error: unknown) => error);
    expect(refused).toMatchObject({ type: 'github-rate-limited' });
    const { retryAfterSeconds = 0 } = refused as { readonly retryAfterSeconds?: number };
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(3);
    const before = lab.requests().length;
    // as Temporal does, activities of all sorts go on to try
    const tries = [
      () => getPull(limited, repo, number),
      () => publishCheck(limited, repo, check(headSha)),
      () => publishComment(limited, repo, number, { key: 'pull-request', body: 'one' }),
      async () => getPull(await own.installationClient(lab.installationId), repo, number),
    ];
    const sentAt = Promise.all(
      tries.map(async (again) => {
        while (await again().then(() => false, isLimited)) await new Promise((wake) => setTimeout(wake, 50));
      }),
    );
    await vi.waitUntil(() => lab.requests().length > before, { timeout: 20_000, interval: 1 });
    expect(performance.now() - (heardAt[0] ?? Number.NaN)).toBeGreaterThanOrEqual(retryAfterSeconds * 1000);
    await sentAt;
    expect(await lab.listChecks(repo, headSha)).toHaveLength(1);
  });

  test('the retries of one call do not slow down the next', async () => {
    lab.faults.add({ path: /git\/ref/, times: 2, respond: { status: 500 } });
    await branchTip(client, repo, 'main');
    let seen: object = {};
    client.octokit.hook.before('request', (options) => {
      seen = options;
    });
    await branchTip(client, repo, 'main');
    expect(seen).toMatchObject({ request: { retryCount: 0 } });
  });

  test('one failure or one cut connection is not noticed', async () => {
    lab.faults.add({ path: /git\/ref/, times: 1, respond: { status: 500 } });
    lab.faults.add({ path: /git\/ref/, times: 1, respond: 'drop' });
    expect(await branchTip(client, repo, 'main')).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe('publishCheck', () => {
  test('creates once and then updates, also by another process, which looks for it', async () => {
    const { headSha } = await openPull();
    const first = await publishCheck(client, repo, check(headSha));
    const done = check(headSha, { state: { status: 'completed', conclusion: 'success' }, title: 'Done' });
    const asked = lab.requests().length;
    const second = await publishCheck(client, repo, done);
    expect(lab.requests().length - asked).toBe(1);
    const other = await publishCheck({ ...client, known: createKnown() }, repo, done);
    expect(lab.requests().length - asked).toBe(3);
    expect([second.checkRunId, other.checkRunId]).toEqual([first.checkRunId, first.checkRunId]);
    expect(await lab.listChecks(repo, headSha)).toMatchObject([
      { status: 'completed', conclusion: 'success', output: { title: 'Done' } },
    ]);
  });

  test('another run of the same check is another check run', async () => {
    const { headSha } = await openPull();
    const first = await publishCheck(client, repo, check(headSha));
    const second = await publishCheck(client, repo, check(headSha, { externalId: 'run-2' }));
    expect(second.checkRunId).not.toBe(first.checkRunId);
  });

  test('an answer that was lost leaves one check run after the retry', async () => {
    const { headSha } = await openPull();
    lab.faults.add({
      method: 'POST',
      path: /check-runs/,
      times: 1,
      respond: { status: 502 },
      afterEffect: true,
    });
    await expect(publishCheck(client, repo, check(headSha))).rejects.toMatchObject({
      type: 'github-unavailable',
    });
    await publishCheck(client, repo, check(headSha));
    expect(await lab.listChecks(repo, headSha)).toHaveLength(1);
  });

  test('80 annotations go in batches of 50; publishing again adds none', async () => {
    const { headSha } = await openPull();
    const annotations = Array.from({ length: 80 }, (_, i) => ({
      path: 'web.yaml',
      startLine: i + 1,
      endLine: i + 1,
      startColumn: 1,
      endColumn: 2,
      level: 'failure' as const,
      title: 'bad',
      message: `mistake ${i}`,
    }));
    const view = check(headSha, { state: { status: 'completed', conclusion: 'failure' }, annotations });
    const { checkRunId } = await publishCheck(client, repo, view);
    expect(sent('POST', /check-runs$/) + sent('PATCH', /check-runs/)).toBe(2);
    expect(await lab.listAnnotations(repo, checkRunId)).toHaveLength(80);
    await publishCheck(client, repo, view);
    expect(await lab.listAnnotations(repo, checkRunId)).toHaveLength(80);
  });

  test('what is too long is cut, and says where the whole is', async () => {
    const { headSha } = await openPull();
    const long = { summary: 'ü line\n'.repeat(20_000), title: 't'.repeat(999), digest: '7f3a' };
    const action = { identifier: 'i'.repeat(30), label: 'l'.repeat(30), description: 'd'.repeat(60) };
    await publishCheck(client, repo, check(headSha, { ...long, actions: [action, action, action, action] }));
    const [run] = await lab.listChecks(repo, headSha);
    const summary = String((run as { output: { summary: string } }).output.summary);
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(65_535);
    expect(summary).toContain('cut; the whole: `doaas plan show 7f3a`');
  });
});

describe('publishComment', () => {
  test('is one comment, edited in place', async () => {
    const { number } = await openPull();
    const first = await publishComment(client, repo, number, { key: 'pull-request', body: 'one' });
    const second = await publishComment(client, repo, number, { key: 'pull-request', body: 'two' });
    expect(second.commentId).toBe(first.commentId);
    expect(await lab.listComments(repo, number)).toMatchObject([
      { body: '<!-- doaas:pull-request -->\ntwo', user: { login: 'doaas[bot]' } },
    ]);
  });

  test('a marker pasted by somebody else does not capture it', async () => {
    const { number } = await openPull();
    await lab.comment(repo, number, lab.accounts.stranger, `${marker('pull-request')}\nnot yours`);
    await publishComment(client, repo, number, { key: 'pull-request', body: 'ours' });
    expect(await lab.listComments(repo, number)).toMatchObject([
      { body: expect.stringContaining('not yours') },
      { body: expect.stringContaining('ours') },
    ]);
  });

  test('is written again when somebody deleted it', async () => {
    const { number } = await openPull();
    const { commentId } = await publishComment(client, repo, number, { key: 'pull-request', body: 'one' });
    await client.octokit.issues.deleteComment({ owner: repo.owner, repo: repo.name, comment_id: commentId });
    await publishComment(client, repo, number, { key: 'pull-request', body: 'two', commentId });
    expect(await lab.listComments(repo, number)).toMatchObject([{ body: expect.stringContaining('two') }]);
  });

  test('is kept where it was edited, and never put over what somebody else wrote', async () => {
    const { number } = await openPull();
    const view = { key: 'override-7', body: 'told' };
    const { commentId } = await publishComment(client, repo, number, view);
    const other = await lab.comment(repo, number, lab.accounts.stranger, 'mine');
    await lab.editComment(repo, commentId, 'nothing', lab.accounts.author);
    expect(await keepComment(client, repo, number, { ...view, commentId })).toBe('written');
    expect(await keepComment(client, repo, number, { ...view, commentId: other })).toBe('there');
    await lab.deleteComment(repo, commentId, lab.accounts.author);
    expect(await keepComment(client, repo, number, { ...view, commentId })).toBe('written');
    expect(await lab.listComments(repo, number)).toMatchObject([
      { id: other, body: 'mine' },
      { body: '<!-- doaas:override-7 -->\ntold', user: { login: 'doaas[bot]' } },
    ]);
  });

  test('is found behind a hundred others, and cut at the limit of GitHub', async () => {
    const { number } = await openPull();
    for (let i = 0; i < 100; i++) await lab.comment(repo, number, lab.accounts.author, `talk ${i}`);
    const first = await publishComment(client, repo, number, { key: 'pull-request', body: 'one' });
    const body = '日本語の行\n'.repeat(10_000);
    const second = await publishComment(client, repo, number, { key: 'pull-request', body, digest: '7f3a' });
    expect(second.commentId).toBe(first.commentId);
    const written = await client.octokit.issues.getComment({
      owner: repo.owner,
      repo: repo.name,
      comment_id: first.commentId,
    });
    const last = { body: written.data.body ?? '' };
    expect(Buffer.byteLength(last.body)).toBeLessThanOrEqual(65_536);
    expect(last.body).toContain('doaas plan show 7f3a');
  });

  test('a command is answered once, with a reaction', async () => {
    const { number } = await openPull();
    const commentId = await lab.comment(repo, number, lab.accounts.author, '/doaas plan');
    await react(client, repo, commentId, 'eyes');
    await react(client, repo, commentId, 'eyes');
    await replyTo(client, repo, number, commentId, 'Planning.');
    await replyTo(client, repo, number, commentId, 'Planning.');
    expect(await lab.listReactions(repo, commentId)).toMatchObject([{ content: 'eyes' }]);
    expect(await lab.listComments(repo, number)).toHaveLength(2);
  });
});

test('the latest review of each person counts, with what they may do', async () => {
  const { number, headSha } = await openPull();
  const { reviewer, reader, author } = lab.accounts;
  await lab.review(repo, number, reviewer, 'REQUEST_CHANGES', 'no');
  await lab.review(repo, number, reviewer, 'APPROVE');
  await lab.review(repo, number, reviewer, 'COMMENT', 'by the way');
  await lab.review(repo, number, reader, 'APPROVE');
  await lab.dismissReview(repo, number, await lab.review(repo, number, lab.accounts.admin, 'APPROVE'));
  const { reviews } = await latestReviews(client, repo, number);
  expect(
    reviews.map(({ reviewer: who, state, permission, commitId }) => [
      who,
      state,
      permission,
      commitId === headSha,
    ]),
  ).toEqual([
    [reviewer.login, 'approved', 'write', true],
    [reader.login, 'approved', 'read', true],
    [lab.accounts.admin.login, 'dismissed', 'admin', true],
  ]);
  expect(await permissionOf(client, repo, author.login)).toBe('write');
  expect(await permissionOf(client, repo, 'nobody-at-all')).toBe('none');
});

describe('pull requests', () => {
  test('are read with the tip of the base, not with where it was', async () => {
    const { number, headSha } = await openPull();
    const tip = await lab.push(repo, 'main', { 'other.yaml': 'x: 2\n' });
    expect(await getPull(client, repo, number)).toMatchObject({
      number,
      headSha,
      baseRef: 'main',
      baseSha: tip,
      state: 'open',
      merged: false,
      fork: false,
      author: lab.accounts.author.login,
    });
  });

  test('are not taken for open on a base that has them already, when they are merged meanwhile', async () => {
    const { number } = await openPull();
    const asked = lab.requests().length;
    const merged = new AbortController();
    const until = once(merged.signal, 'abort');
    lab.faults.add({ method: 'GET', path: /git\/ref\/heads/, times: 1, respond: { until } });
    const reading = getPull(client, repo, number);
    await vi.waitFor(() => expect(lab.requests().length).toBeGreaterThan(asked + 1), { timeout: 20_000 });
    const mergeSha = await lab.mergeByHand(repo, number);
    merged.abort();
    expect(await reading).toMatchObject({ merged: true, mergeSha });
  });

  test('are merged at the applied head only', async () => {
    const { number, headSha } = await openPull();
    const newer = await lab.push(repo, 'change-web-yaml', { 'web.yaml': 'a: 3\n' });
    const merge = { number, method: 'merge' as const };
    expect(await mergePull(client, repo, { ...merge, headSha })).toMatchObject({ kind: 'refused' });
    const merged = await mergePull(client, repo, { ...merge, headSha: newer });
    expect(merged).toMatchObject({ kind: 'merged', sha: await branchTip(client, repo, 'main') });
    expect(await mergePull(client, repo, { ...merge, headSha: newer })).toEqual(merged);
  });

  test('a merge whose answer was lost counts after the retry', async () => {
    const { number, headSha } = await openPull();
    lab.faults.add({ method: 'PUT', path: /merge$/, times: 1, respond: { status: 502 }, afterEffect: true });
    const merge = { number, headSha, method: 'squash' as const };
    await expect(mergePull(client, repo, merge)).rejects.toMatchObject({ type: 'github-unavailable' });
    expect(await mergePull(client, repo, merge)).toMatchObject({
      kind: 'merged',
      sha: await branchTip(client, repo, 'main'),
    });
  });
});
