import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAppKey } from '../../lab/github/accounts.ts';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { storyVerbs } from './stories.ts';

/** What becomes of open pull requests and of runs when the App may do less than before, or nothing. */
describe('the App, while pull requests are open', { timeout: 4 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      hosts: 2,
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts.slice(0, 1)) }),
    });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const stories = storyVerbs(() => world);
  const { create, at, approved, applies, midway, letGo, putBack } = stories;
  const { on, file, isOn, sweep, inStore, ended, ends } = stories;

  /** All that is left of its newest run is the merge. */
  const verified = ({ owner, name }: RepositoryName, pull: number) =>
    until(
      () =>
        inStore(async ({ runs }) => {
          const [run] = await runs.ofPull(`${owner}/${name}`, pull);
          return JSON.stringify(run?.detail).includes('"verify":{"state":"verified"') ? true : undefined;
        }),
      `the run of #${pull} to be verified`,
      60,
    );

  it('the App is suspended: nothing is done, and what was missed is made up for afterwards', async () => {
    const repo = await create('suspended');
    const { pull, sha } = await approved(repo, 'paused');
    await world.github.suspendApp();
    await at(repo).say(pull, '/doaas apply');
    await world.github.webhooks.settled();
    const next = await world.github.push(repo, 'paused', file('paused', 'later'));
    await world.github.unsuspendApp();
    await at(repo).check(next, 'doaas/plan', { conclusion: 'success' });
    expect(await isOn('paused')).toBe('');
    expect((await at(repo).checks(sha)).map(({ name }) => name)).not.toContain('doaas/apply');
    await at(repo).approve(pull);
    await applies(repo, { pull, sha: next });
    expect(await isOn('paused')).toBe('later');
  });

  it('the App is suspended in the middle of an apply: put back, and said when that ends', async () => {
    const repo = await create('halted');
    const { pull, sha } = await midway(repo, 'halted');
    await world.github.suspendApp();
    await letGo('halted');
    await putBack('halted');
    await ended(repo, pull, 'rolled-back');
    await world.github.unsuspendApp();
    const told = await at(repo).check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(told.title).toMatch(/the App's installation is suspended.*; 1 server restored as before$/);
    await world.github.closePullRequest(repo, pull);
  });

  it('permissions are taken away in the middle of applies: what GitHub still takes is done and said, the rest when it takes it', async () => {
    const untold = async () => {
      const metrics = await (await fetch(`${world.engine.url()}/metrics`)).text();
      return Number(/^doaas_runs_unshown (\d+)$/m.exec(metrics)?.[1]);
    };
    // what earlier tests left untold is told by now, or cannot be
    await sweep('before-permissions');
    const before = await untold();
    const [stays, goes] = await Promise.all([create('unseen', true), create('unmerged', false, 1)]);
    const [unseen, unmerged] = await Promise.all([midway(stays, 'unseen'), midway(goes, 'unmerged', 1)]);
    await world.github.setAppPermissions({ checks: 'none' });
    // what is made from now on may do no more than this
    world.github.expireTokens();
    await letGo('unseen');
    await at(stays).mergedSoon(unseen.pull, unseen.sha);
    await until(
      async () => (/Applied 2 changes/.test(await at(stays).comment(unseen.pull)) ? true : undefined),
      'the comment to say so',
    );
    await world.github.setAppPermissions({ contents: 'read' });
    await letGo('unmerged', 1);
    await putBack('unmerged', 1);
    await until(
      async () => (/restored as before/.test(await at(goes).comment(unmerged.pull)) ? true : undefined),
      'the comment to say so',
    );
    // a sweep that gets no further gives nothing up
    await sweep('without-permissions');
    const applyOf = async (repo: RepositoryName, { sha }: { readonly sha: string }) =>
      (await at(repo).checks(sha)).find(({ name }) => name === 'doaas/apply')?.status;
    expect([await applyOf(stays, unseen), await applyOf(goes, unmerged)]).toEqual([
      'in_progress',
      'in_progress',
    ]);
    expect(await untold()).toBe(before + 2);
    await world.github.setAppPermissions({ checks: 'write', contents: 'write' });
    await at(stays).check(unseen.sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
    const told = await at(goes).check(unmerged.sha, 'doaas/apply', { conclusion: 'failure' });
    expect(told.title).toMatch(/^GitHub refused the merge: .*; 1 server restored as before$/);
    expect(told.summary).toContain('Resource not accessible by integration');
    expect(await isOn('unseen')).toBe('unseen');
    await until(async () => ((await untold()) === before ? true : undefined), 'all to be told');
    await world.github.closePullRequest(goes, unmerged.pull);
  });

  it("the App's key is revoked in the middle of an apply: the run goes on on its server, and is merged and shown once the key is right", async () => {
    const repo = await create('keyless');
    const { pull, sha } = await midway(repo, 'keyless');
    const { privateKey } = world.github.app;
    world.github.setAppKey(await createAppKey());
    world.github.expireTokens();
    await letGo('keyless');
    const refused = (): boolean =>
      world.github.requests().some(({ path, status }) => path.endsWith('/access_tokens') && status === 401);
    await until(async () => (refused() ? true : undefined), 'GitHub to refuse the key');
    await verified(repo, pull);
    expect(await on('ls /var/tmp/keyless.done /etc/doaas-keyless')).toBe(
      '/etc/doaas-keyless\n/var/tmp/keyless.done',
    );
    expect(await at(repo).merged(pull)).toBe(false);
    world.github.setAppKey(privateKey);
    await at(repo).mergedSoon(pull, sha);
    for (const name of ['doaas/apply', 'doaas/verify'])
      await at(repo).check(sha, name, { conclusion: 'success' });
    await ended(repo, pull, 'applied');
  });

  it('the App is deleted in the middle of an apply: put back and nothing stays locked; should it be there again, it is said', async () => {
    const repo = await create('unregistered');
    const { pull, sha } = await midway(repo, 'unregistered');
    const body = { message: 'Integration not found' };
    const path = /^\/app(\/|$)|\/installation$/;
    world.github.faults.add({ path, times: 100_000, respond: { status: 404, body } });
    world.github.expireTokens();
    await letGo('unregistered');
    await putBack('unregistered');
    await ended(repo, pull, 'rolled-back');
    expect((await at(repo).checks(sha)).find(({ name }) => name === 'doaas/apply')?.status).toBe(
      'in_progress',
    );
    world.github.faults.clear();
    await sweep('registered-again');
    await at(repo).check(sha, 'doaas/apply', {
      conclusion: 'failure',
      title: /; 1 server restored as before$/,
    });
    await world.github.closePullRequest(repo, pull);
  });

  it('the App is uninstalled in the middle of an apply: rolled back and ended; installed again, it goes on', async () => {
    const repo = await create('left', true);
    const { pull, sha } = await midway(repo, 'left');
    await world.github.uninstallApp();
    await letGo('left');
    await putBack('left');
    await ends(repo, pull);
    await world.github.installApp();
    const told = await at(repo).check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(told.title).toMatch(/; 1 server restored as before$/);
    await at(repo).answer(pull, await at(repo).say(pull, '/doaas plan'), /Planning again/);
    await at(repo).check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.closePullRequest(repo, pull);
    await ends(repo, pull);
  });
});
