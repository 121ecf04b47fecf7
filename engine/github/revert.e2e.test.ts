import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { secret } from '../config/secret.ts';
import { createLogger } from '../log.ts';
import { createGitHub, type GitHubClient, type Repo } from './client.ts';
import { previousTip } from './previousTip.ts';
import { type MergeMethod, mergePull } from './pulls.ts';
import { openRevert } from './revert.ts';

/** Two cores, shared with the rest of the suite. */
vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

describe('openRevert', () => {
  let lab: LabGitHub;
  let client: GitHubClient;
  let repo: Repo;
  beforeAll(async () => {
    lab = await startLabGitHub({ webhookSecret: 'a-secret-of-the-lab-16' });
    const config = {
      githubApiUrl: lab.url,
      githubAppId: lab.app.id,
      githubPrivateKey: secret(lab.app.privateKey),
      githubWritesPerMinute: 100_000,
    };
    client = await createGitHub(config, createLogger('silent')).installationClient(lab.installationId);
  });
  afterAll(() => lab?.close());

  beforeEach(async () => {
    repo = await lab.createRepository({ files: { 'web.yaml': 'a: 1\n', 'other.yaml': 'x: 1\n' } });
  });

  const openPull = async () => {
    const headSha = await lab.branchWithChanges(repo, 'change', { 'web.yaml': 'a: 2\n' });
    return { headSha, number: await lab.openPullRequest(repo, { branch: 'change' }) };
  };

  const revertOf = async (number: number, mergeSha: string) => {
    const beforeSha = await previousTip(client, repo, { number, mergeSha });
    return { number, baseRef: 'main', mergeSha, beforeSha, title: `Revert #${number}`, body: 'why' };
  };

  const mergedAs = async (number: number, headSha: string, method: MergeMethod): Promise<string> => {
    const merged = await mergePull(client, repo, { number, headSha, method });
    if (merged.kind !== 'merged') throw new Error(merged.reason);
    return merged.sha;
  };

  /** Two commits, and another pull request that is merged before it; gives the tip between the two. */
  const mergedAfterAnother = async (method: MergeMethod, between: MergeMethod) => {
    const { number } = await openPull();
    const headSha = await lab.push(repo, 'change', { 'more.yaml': 'm: 1\n' });
    await lab.branchWithChanges(repo, 'theirs', { 'theirs.yaml': 't: 1\n' });
    const theirHead = await lab.push(repo, 'theirs', { 'other.yaml': 'x: 2\n' });
    const theirs = await lab.openPullRequest(repo, { branch: 'theirs' });
    const tip = await mergedAs(theirs, theirHead, between);
    return { number, tip, mergeSha: await mergedAs(number, headSha, method) };
  };

  test.each([
    ['merge', 'rebase'],
    ['squash', 'rebase'],
    ['rebase', 'rebase'],
    ['rebase', 'merge'],
  ] as const)('by %s: leaves what was merged by %s just before it', async (method, between) => {
    const { number, mergeSha, tip } = await mergedAfterAnother(method, between);
    expect(await previousTip(client, repo, { number, mergeSha })).toBe(tip);
    await lab.mergeByHand(repo, (await openRevert(client, repo, await revertOf(number, mergeSha))).number);
    const files = ['web.yaml', 'more.yaml', 'theirs.yaml', 'other.yaml'];
    const now = await Promise.all(files.map((file) => lab.fileAt(repo, 'main', file)));
    expect(now).toEqual(['a: 1\n', undefined, 't: 1\n', 'x: 2\n']);
  });

  test('takes nothing back that the branch had already, whatever it looks like', async () => {
    const { number, mergeSha, tip } = await mergedAfterAnother('rebase', 'squash');
    const { data } = await client.octokit.git.getCommit({
      owner: repo.owner,
      repo: repo.name,
      commit_sha: mergeSha,
    });
    const first = data.parents[0]?.sha;
    expect(await previousTip(client, repo, { number, mergeSha }, first)).toBe(first);
    expect(await previousTip(client, repo, { number, mergeSha }, tip)).toBe(tip);
  });

  test('takes back that change only, also when the base moved on, and is opened once', async () => {
    const { number, headSha } = await openPull();
    const merged = await mergePull(client, repo, { number, headSha, method: 'merge' });
    if (merged.kind !== 'merged') throw new Error(merged.reason);
    await lab.push(repo, 'main', { 'other.yaml': 'x: 2\n' });
    const revert = await revertOf(number, merged.sha);
    const opened = await openRevert(client, repo, revert);
    expect(await openRevert(client, repo, revert)).toEqual(opened);
    await lab.mergeByHand(repo, opened.number);
    expect(await lab.fileAt(repo, 'main', 'web.yaml')).toBe('a: 1\n');
    expect(await lab.fileAt(repo, 'main', 'other.yaml')).toBe('x: 2\n');
  });

  test('does not take what somebody else made under the name of a revert for it', async () => {
    const { number, headSha } = await openPull();
    const taken = `doaas/revert-${number}`;
    await lab.branchWithChanges(repo, taken, { 'web.yaml': 'a: worse\n' });
    const squatted = await lab.openPullRequest(repo, { branch: taken });
    const merged = await mergePull(client, repo, { number, headSha, method: 'squash' });
    if (merged.kind !== 'merged') throw new Error(merged.reason);
    const revert = await revertOf(number, merged.sha);
    const opened = await openRevert(client, repo, revert);
    expect(opened.number).not.toBe(squatted);
    expect(await openRevert(client, repo, revert)).toEqual(opened);
    expect(await lab.fileAt(repo, `${taken}-2`, 'web.yaml')).toBe('a: 1\n');
    expect(await lab.fileAt(repo, taken, 'web.yaml')).toBe('a: worse\n');
  });
});
