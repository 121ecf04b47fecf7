import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { secondOrganisation } from './accounts.ts';
import type { RepositoryName } from './acting.ts';
import { gitText } from './git.ts';
import type { LabGitHub } from './lab-github.ts';
import { type Receiver, SILENT } from './testing/receiver.ts';
import { startWatchedLab, type WatchedLab } from './testing/watched.ts';

/** What GitHub documents of repositories and installations that change. */
let lab: LabGitHub;
let receiver: Receiver;
let engine: Octokit;
let close: WatchedLab['close'] | undefined;
beforeAll(async () => {
  ({ lab, receiver, engine, close } = await startWatchedLab());
});
afterAll(() => close?.());

const of = (repo: RepositoryName) => ({ owner: repo.owner, repo: repo.name });
const lastEvent = async () => {
  await lab.webhooks.settled();
  const last = receiver.received.at(-1);
  return `${last?.event}.${last?.payload.action}`;
};

test('a former name leads to the repository, by API and git, until somebody takes it', async () => {
  const old = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
  const { data: before } = await engine.repos.get(of(old));
  const name = `${old.name}-renamed`;
  const renamed = await lab.renameRepository(old, name);
  expect(await lastEvent()).toBe('repository.renamed');
  const raw = (method: string) =>
    fetch(`${lab.url}/repos/${old.owner}/${old.name}/issues${method === 'GET' ? '?page=1' : ''}`, {
      method,
      redirect: 'manual',
      ...(method === 'GET' ? {} : { body: JSON.stringify({ title: 'moved' }) }),
    });
  expect([(await raw('GET')).status, (await raw('POST')).status]).toEqual([301, 307]);
  expect((await raw('GET')).headers.get('location')).toBe(
    `${lab.url}/repositories/${before.id}/issues?page=1`,
  );
  expect((await engine.repos.get(of(old))).data).toMatchObject({ id: before.id, name });
  const { data: made } = await engine.issues.create({ ...of(old), title: 'follows the redirect' });
  expect(made.repository_url).toContain(name);
  const tip = await lab.branchSha(renamed, 'main');
  const url = `${lab.url}/${old.owner}/${old.name}.git`;
  expect(await gitText('/', ['ls-remote', url, 'refs/heads/main'])).toContain(tip);
  await lab.createRepository({ name: old.name, files: { 'a.txt': 'another\n' } });
  expect((await engine.repos.get(of(old))).data.id).not.toBe(before.id);
  expect(lab.violations()).toEqual([]);
});

test('a transfer is told to the App of the new owner, and to nobody where there is none', async () => {
  const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
  const moved = await lab.transferRepository(repo, secondOrganisation(lab.owner));
  expect(await lastEvent()).toBe('repository.transferred');
  expect(receiver.received.at(-1)?.payload.installation).not.toMatchObject({ id: lab.installationId });
  const told = receiver.received.length;
  await lab.transferRepository(moved, lab.accounts.stranger.login);
  await lab.webhooks.settled();
  expect(receiver.received).toHaveLength(told);
});

test('an archive is read and not written', async () => {
  const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
  await lab.setArchived(repo, true);
  expect(await lastEvent()).toBe('repository.archived');
  expect((await engine.repos.get(of(repo))).data.archived).toBe(true);
  const head_sha = await lab.branchSha(repo, 'main');
  const write = engine.checks.create({ ...of(repo), name: 'check', head_sha });
  await expect(write).rejects.toMatchObject({ status: 403, message: expect.stringContaining('archived') });
  await lab.setArchived(repo, false);
  await engine.checks.create({ ...of(repo), name: 'check', head_sha });
});

test('a renamed default branch takes its pull requests along', async () => {
  const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
  await lab.branchWithChanges(repo, 'change', { 'a.txt': 'two\n' });
  const pull = await lab.openPullRequest(repo, { branch: 'change' });
  await lab.renameDefaultBranch(repo, 'trunk');
  expect(await lastEvent()).toBe('pull_request.edited');
  expect((await engine.repos.get(of(repo))).data.default_branch).toBe('trunk');
  const { data } = await engine.pulls.get({ ...of(repo), pull_number: pull });
  expect([data.state, data.base.ref]).toEqual(['open', 'trunk']);
  const gone = engine.git.getRef({ ...of(repo), ref: 'heads/main' });
  await expect(gone).rejects.toMatchObject({ status: 404 });
});

test('an installation is on some repositories only, and may do only what is granted now', async () => {
  const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' }, private: true });
  const covered = async () => {
    const { data } = await engine.apps.listReposAccessibleToInstallation({ per_page: 100 });
    return data.repositories.some(({ name }) => name === repo.name);
  };
  await lab.coverRepository(repo, false);
  expect(await lastEvent()).toBe('installation_repositories.removed');
  await expect(engine.repos.get(of(repo))).rejects.toMatchObject({ status: 404 });
  expect(await covered()).toBe(false);
  const told = receiver.received.length;
  await lab.push(repo, 'main', { 'a.txt': 'unheard\n' }, lab.accounts.admin);
  await lab.webhooks.settled();
  expect(receiver.received).toHaveLength(told);
  await lab.coverRepository(repo, true);
  expect(await lastEvent()).toBe('installation_repositories.added');
  expect(await covered()).toBe(true);

  const head_sha = await lab.branchSha(repo, 'main');
  const write = () => engine.checks.create({ ...of(repo), name: 'check', head_sha });
  await write();
  await lab.setAppPermissions({ checks: 'none' });
  const refused = { status: 403, message: expect.stringContaining('Resource not accessible by integration') };
  await expect(write()).rejects.toMatchObject(refused);
  await engine.repos.get(of(repo));
  await lab.setAppPermissions({ checks: 'write' });
  expect(await lastEvent()).toBe('installation.new_permissions_accepted');
  await write();
});

test('a suspended installation is refused and told nothing; a removed one has no tokens', async () => {
  const repo = await lab.createRepository({ files: { 'a.txt': 'one\n' } });
  await engine.repos.get(of(repo));
  await lab.suspendApp();
  expect(await lastEvent()).toBe('installation.suspend');
  const suspended = { status: 403, message: expect.stringContaining('This installation has been suspended') };
  await expect(engine.repos.get(of(repo))).rejects.toMatchObject(suspended);
  const { id: appId, privateKey } = lab.app;
  const auth = { appId, privateKey, installationId: lab.installationId };
  const fresh = new Octokit({ authStrategy: createAppAuth, auth, baseUrl: lab.url, log: SILENT });
  await expect(fresh.repos.get(of(repo))).rejects.toMatchObject(suspended);
  const told = receiver.received.length;
  await lab.push(repo, 'main', { 'a.txt': 'unheard\n' }, lab.accounts.admin);
  await lab.webhooks.settled();
  expect(receiver.received).toHaveLength(told);
  await lab.unsuspendApp();
  await engine.repos.get(of(repo));
  await lab.uninstallApp();
  expect(await lastEvent()).toBe('installation.deleted');
  await expect(engine.repos.get(of(repo))).rejects.toMatchObject({ status: 401 });
  await expect(fresh.auth({ type: 'installation', refresh: true })).rejects.toMatchObject({ status: 404 });
});
