import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { primaryRateLimit, secondaryRateLimit } from './faults.ts';
import type { LabGitHub } from './lab-github.ts';
import { eventsOf as eventsAt, type Receiver, SILENT } from './testing/receiver.ts';
import { startWatchedLab, type WatchedLab } from './testing/watched.ts';

let lab: LabGitHub;
let receiver: Receiver;
let engine: Octokit;

let close: WatchedLab['close'] | undefined;
beforeAll(async () => {
  ({ lab, receiver, engine, close } = await startWatchedLab());
});
afterAll(() => close?.());

const eventsOf = (repo: { name: string }, event: string) => eventsAt(lab, receiver, repo, event);

describe('webhooks and faults', () => {
  test('deliveries are signed, have GUIDs, and can be sent again as they were', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    await lab.openPullRequest(repo, { branch: 'change' });
    await lab.webhooks.settled();
    const delivery = lab.webhooks.all().findLast((entry) => entry.event === 'pull_request');
    const guid = delivery?.guid ?? '';
    expect(guid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await lab.webhooks.redeliver(guid)).toBe(202);
    const same = receiver.received.filter((entry) => entry.guid === guid);
    expect(same).toHaveLength(2);
    expect(same[0]).toEqual(same[1]);
    expect(receiver.received.every((entry) => entry.verified)).toBe(true);
  });

  test('webhooks are dropped, doubled and reordered on demand', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    const pull = await lab.openPullRequest(repo, { branch: 'change' });
    const { reviewer } = lab.accounts;
    const add = lab.webhooks.faults.add;
    add({ event: 'issue_comment', times: 1, effect: 'drop' });
    await lab.comment(repo, pull, reviewer, 'dropped');
    add({ event: 'issue_comment', times: 1, effect: 'duplicate' });
    await lab.comment(repo, pull, reviewer, 'doubled');
    await lab.webhooks.settled();
    add({ event: 'issue_comment', times: 1, effect: 'after-next' });
    await lab.comment(repo, pull, reviewer, 'late');
    await lab.comment(repo, pull, reviewer, 'early');
    const bodies = (await eventsOf(repo, 'issue_comment')).map((payload) => Object(payload.comment).body);
    expect(bodies).toEqual(['doubled', 'doubled', 'early', 'late']);
  });

  test('webhooks come late on demand, and others pass them', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    const pull = await lab.openPullRequest(repo, { branch: 'change' });
    await lab.webhooks.settled();
    const delayMs = 3_000;
    lab.webhooks.faults.add({ event: 'issue_comment', action: 'created', times: 1, effect: { delayMs } });
    const asked = performance.now();
    await lab.comment(repo, pull, lab.accounts.reviewer, 'late');
    await lab.comment(repo, pull, lab.accounts.reviewer, 'at once');
    const bodies = (await eventsOf(repo, 'issue_comment')).map((payload) => Object(payload.comment).body);
    expect(bodies).toEqual(['at once', 'late']);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(delayMs);
  });

  test('answers come late on demand, and limits are as GitHub words them', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    const target = { owner: repo.owner, repo: repo.name };
    const path = new RegExp(`^/repos/${repo.owner}/${repo.name}$`);
    const delayMs = 300;
    lab.faults.add({ path, times: 1, respond: { delayMs } });
    const asked = performance.now();
    expect((await engine.repos.get(target)).status).toBe(200);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(delayMs - 1);
    lab.faults.add({ path, times: 1, respond: primaryRateLimit(1_900_000_000) });
    lab.faults.add({ path, times: 1, respond: { status: 429, headers: { 'retry-after': '3' } } });
    await expect(engine.repos.get(target)).rejects.toMatchObject({
      status: 403,
      response: { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1900000000' } },
    });
    await expect(engine.repos.get(target)).rejects.toMatchObject({
      status: 429,
      response: { headers: { 'retry-after': '3' } },
    });
  });

  test('a token may do no more than it was given', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    const head = await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    const pull = await lab.openPullRequest(repo, { branch: 'change' });
    await lab.branchWithChanges(repo, 'other', { 'a.txt': 'three\n' });
    const reads = { checks: 'read', contents: 'read', issues: 'read', pull_requests: 'read' } as const;
    const { token } = Object(await engine.auth({ type: 'installation', permissions: reads }));
    const reader = new Octokit({ auth: token, baseUrl: lab.url, log: SILENT });
    const target = { owner: repo.owner, repo: repo.name };
    expect((await reader.pulls.get({ ...target, pull_number: pull })).status).toBe(200);
    const body = 'no';
    const refused = [
      () => reader.checks.create({ ...target, name: 'doaas/plan', head_sha: head }),
      () => reader.issues.createComment({ ...target, issue_number: pull, body }),
      () => reader.pulls.merge({ ...target, pull_number: pull }),
      () => reader.git.createRef({ ...target, ref: 'refs/heads/no', sha: head }),
      () => reader.pulls.create({ ...target, head: 'other', base: 'main', title: body }),
    ];
    for (const act of refused) await expect(act()).rejects.toMatchObject({ status: 403 });
  });

  test('faults hit the requests they name, as often as they say', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    const target = { owner: repo.owner, repo: repo.name };
    const path = new RegExp(`^/repos/${repo.owner}/${repo.name}$`);
    lab.faults.add({ method: 'GET', path, times: 1, respond: { status: 502 } });
    lab.faults.add({ method: 'GET', path, times: 1, respond: secondaryRateLimit(7) });
    lab.faults.add({ method: 'GET', path, times: 1, respond: 'drop' });
    await expect(engine.repos.get(target)).rejects.toMatchObject({ status: 502 });
    await expect(engine.repos.get(target)).rejects.toMatchObject({
      status: 403,
      response: { headers: { 'retry-after': '7' } },
    });
    await expect(engine.repos.get(target)).rejects.toMatchObject({ status: 500 });
    expect((await engine.repos.get(target)).status).toBe(200);
  });

  test('the App lists its deliveries and asks for one again', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    await lab.webhooks.settled();
    const { id, privateKey } = lab.app;
    const asApp = new Octokit({
      authStrategy: createAppAuth,
      auth: { appId: id, privateKey },
      baseUrl: lab.url,
    });
    const before = await asApp.apps.listWebhookDeliveries({ per_page: 5 });
    const newest = before.data[0];
    expect(newest).toMatchObject({ event: 'push', status_code: 202, redelivery: false });
    await asApp.apps.redeliverWebhookDelivery({ delivery_id: newest?.id ?? 0 });
    await lab.webhooks.settled();
    const after = await asApp.apps.listWebhookDeliveries({ per_page: 5 });
    expect(after.data[0]).toMatchObject({ guid: newest?.guid, redelivery: true });
    const installation = await asApp.apps.getRepoInstallation({ owner: repo.owner, repo: repo.name });
    expect(installation.data.id).toBe(lab.installationId);
  });

  test('an effect can happen while its answer is lost', async () => {
    const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
    await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
    const issue_number = await lab.openPullRequest(repo, { branch: 'change' });
    const path = new RegExp(`/${repo.name}/issues/${issue_number}/comments$`);
    lab.faults.add({ method: 'POST', path, times: 1, respond: 'drop', afterEffect: true });
    const target = { owner: repo.owner, repo: repo.name, issue_number };
    await expect(engine.issues.createComment({ ...target, body: 'once' })).rejects.toMatchObject({
      status: 500,
    });
    expect(await lab.listComments(repo, issue_number)).toMatchObject([{ body: 'once' }]);
  });

  test('a token that nobody issued is refused', async () => {
    const octokit = new Octokit({ auth: 'ghp_forged', baseUrl: lab.url });
    await expect(octokit.users.getAuthenticated()).rejects.toMatchObject({ status: 401 });
  });
});
