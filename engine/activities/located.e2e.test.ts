import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secondOrganisation } from '../../lab/github/accounts.ts';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { secret } from '../config/secret.ts';
import { createGitHub, type GitHub } from '../github/client.ts';
import { createLogger } from '../log.ts';
import { openStore, type Store } from '../store/store.ts';
import { knownRepositories } from './clock.ts';
import { locate, located } from './located.ts';

describe('a repository', () => {
  let lab: LabGitHub;
  let github: GitHub;
  let store: Store;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'doaas-located-'));
    lab = await startLabGitHub({ webhookSecret: 'a secret of this test' });
    store = await openStore({ file: join(dir, 'store.sqlite') });
    github = createGitHub(config(), createLogger('silent'));
  }, 60_000);
  afterAll(async () => {
    await store?.close();
    await lab?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const config = () => ({
    githubApiUrl: lab.url,
    githubAppId: lab.app.id,
    githubPrivateKey: secret(lab.app.privateKey),
    githubWritesPerMinute: 1_000,
  });
  const engine = () => ({ store, github, log: createLogger('silent') });
  const idOf = async (repo: RepositoryName): Promise<number> => {
    const client = await github.installationClient(lab.installationId);
    return (await client.octokit.repos.get({ owner: repo.owner, repo: repo.name })).data.id;
  };
  const from = async (repo: RepositoryName, installationId = lab.installationId, id?: number) =>
    locate(engine(), { repo, repositoryId: id ?? (await idOf(repo)), installationId });

  test('is renamed: it stays known by its first name, and the taker of that name is another one', async () => {
    const old = await lab.createRepository({ name: 'infra', files: { a: '1' } });
    const id = await idOf(old);
    const first = await from(old);
    expect(first).toEqual({ ...old, installationId: lab.installationId, id, knownAs: 'acme/infra' });
    const renamed = await lab.renameRepository(old, 'platform');
    expect(await from(renamed)).toEqual({ ...first, name: 'platform' });
    // an event from before the rename: GitHub leads from that name to the repository
    expect(await from(old, lab.installationId, id)).toEqual({ ...first, name: 'platform' });
    const taken = await lab.createRepository({ name: 'infra', files: { a: '2' } });
    const other = await from(taken);
    expect(other).toMatchObject({ name: 'infra', knownAs: `acme/infra@${await idOf(taken)}` });
    // one that comes so late that the name is somebody else's
    expect(await from(old, lab.installationId, id)).toEqual({ ...first, name: 'platform' });
  });

  test('is called and reached in activities as it is now, whatever their workflow was started with', async () => {
    const old = await lab.createRepository({ name: 'before', files: { a: '1' } });
    const then = await from(old);
    const moved = await lab.transferRepository(old, secondOrganisation(lab.owner));
    const second = await github.installationOf(moved);
    await from(moved, second, then.id);
    const now = { ...then, owner: moved.owner, installationId: second };
    const activities = located(engine(), { echo: async (...args: unknown[]) => args });
    const { id: _, knownAs: __, ...unknown } = then;
    const run = { run: 'r', pull: { repository: then, number: 3 } };
    expect(await activities.echo(then, run, { repository: unknown, commit: 'c' }, 'word', 7)).toEqual([
      now,
      { run: 'r', pull: { repository: now, number: 3 } },
      { repository: now, commit: 'c' },
      'word',
      7,
    ]);
    const never = { owner: 'acme', name: 'never-seen', installationId: 1 };
    expect(await activities.echo(never)).toEqual([never]);
  });

  test('is installed anew: the next event brings the new installation', async () => {
    const repo = await lab.createRepository({ name: 'again', files: { a: '1' } });
    const before = await from(repo);
    await lab.uninstallApp();
    const client = await github.installationClient(before.installationId);
    const read = () => client.octokit.repos.get({ owner: repo.owner, repo: repo.name });
    await expect(read()).rejects.toMatchObject({ status: 404 });
    await expect(client.octokit.auth({ type: 'installation' })).rejects.toMatchObject({ status: 404 });
    await lab.installApp();
    expect(await from(repo, lab.installationId, before.id)).toEqual({
      ...before,
      installationId: lab.installationId,
    });
  });

  test('is lost: what was read of its servers is forgotten, that of others is kept', async () => {
    const repo = await lab.createRepository({ name: 'leaves', files: { a: '1' } });
    const { knownAs = '' } = await from(repo);
    const look = async () => undefined;
    const unread = { kind: 'unread', host: 'web-1', problem: 'it is away' } as const;
    for (const name of [knownAs, 'acme/other']) await store.securityHosts.save(name, 1, [unread]);
    await knownRepositories(engine(), look);
    expect(await store.securityHosts.of(knownAs, 1)).toEqual([unread]);
    const known = await store.repositories.list();
    const limited = { status: 429, body: { message: 'API rate limit exceeded' } };
    // of every installation that earlier tests left
    lab.faults.add({
      method: 'GET',
      path: /\/installation\/repositories/,
      times: known.length,
      respond: limited,
    });
    const kept = await knownRepositories(engine(), look);
    lab.faults.clear();
    expect(kept.map(({ name }) => name)).toEqual(known.map(({ name }) => name));
    expect(await store.repositories.list()).toEqual(known);
    expect(await store.securityHosts.of(knownAs, 1)).toEqual([unread]);
    // GitHub's own pause after it
    github = createGitHub(config(), createLogger('silent'));
    await lab.uninstallApp();
    await knownRepositories(engine(), look);
    expect(await store.securityHosts.of(knownAs, 1)).toEqual([]);
    expect(await store.securityHosts.of('acme/other', 1)).toEqual([unread]);
    await lab.installApp();
  });
});
