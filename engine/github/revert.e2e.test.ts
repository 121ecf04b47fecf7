import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { secret } from '../config/secret.ts';
import { createLogger } from '../log.ts';
import { createGitHub, type GitHubClient, type Repo } from './client.ts';
import { mergePull } from './pulls.ts';
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

  test('takes back that change only, also when the base moved on, and is opened once', async () => {
    const { number, headSha } = await openPull();
    const merged = await mergePull(client, repo, { number, headSha, method: 'merge' });
    if (merged.kind !== 'merged') throw new Error(merged.reason);
    await lab.push(repo, 'main', { 'other.yaml': 'x: 2\n' });
    const revert = { number, baseRef: 'main', mergeSha: merged.sha, title: `Revert #${number}`, body: 'why' };
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
    const revert = { number, baseRef: 'main', mergeSha: merged.sha, title: `Revert #${number}`, body: 'why' };
    const opened = await openRevert(client, repo, revert);
    expect(opened.number).not.toBe(squatted);
    expect(await openRevert(client, repo, revert)).toEqual(opened);
    expect(await lab.fileAt(repo, `${taken}-2`, 'web.yaml')).toBe('a: 1\n');
    expect(await lab.fileAt(repo, taken, 'web.yaml')).toBe('a: worse\n');
  });
});
