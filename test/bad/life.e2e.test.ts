import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TASK_QUEUE } from '../../engine/activities/signalPull.ts';
import { openStore, type Store } from '../../engine/store/store.ts';
import { createAppKey, secondOrganisation } from '../../lab/github/accounts.ts';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, verbsOf, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** What becomes of repositories and of the App while pull requests are open and runs go on. A repository for each story, on the first host if not said. */
describe('while pull requests are open', { timeout: 4 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      hosts: 6,
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts.slice(0, 1)) }),
    });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string, host = 0): Promise<string> =>
    (await world.hosts[host]?.exec(script))?.stdout.trim() ?? '';
  const file = (name: string, content = name): Record<string, string> => ({
    [`${name}.yaml`]: configuration(name, { files: { [`/etc/doaas-${name}`]: { content: `${content}\n` } } }),
  });
  const isOn = (name: string, host = 0) => on(`cat /etc/doaas-${name} 2>/dev/null`, host);
  /** Waits in its apply until the test lets it go on; beside it a file that a rollback takes away again. */
  const waits = (name: string): Record<string, string> => ({
    [`${name}.yaml`]: configuration(name, {
      files: { [`/etc/doaas-${name}`]: { content: `${name}\n` } },
      scripts: {
        [name]: {
          check: `test -e /var/tmp/${name}.done`,
          apply: `touch /var/tmp/${name}.begun; until [ -e /var/tmp/${name}.go ]; do sleep 0.1; done; touch /var/tmp/${name}.done`,
          undo: `rm -f /var/tmp/${name}.*`,
        },
      },
    }),
  });
  const begun = (name: string, host = 0) =>
    until(
      async () => ((await on(`ls /var/tmp/${name}.begun`, host)) === '' ? undefined : true),
      `${name} to begin`,
    );
  const letGo = (name: string, host = 0) => on(`touch /var/tmp/${name}.go`, host);
  /** The file that the run had written is gone again. */
  const putBack = (name: string, host = 0) =>
    until(async () => ((await isOn(name, host)) === '' ? true : undefined), `the rollback of ${name}`, 90);

  const create = (name: string, isPrivate = false, host = 0): Promise<RepositoryName> =>
    world.github.createRepository({
      name,
      private: isPrivate,
      files: { 'servers.yaml': serverYaml(world.hosts.slice(host, host + 1)) },
    });
  const at = (repo: RepositoryName) => verbsOf(world.github, repo);

  async function approved(repo: RepositoryName, name: string, files = file(name)) {
    const { open, check, approve } = at(repo);
    const { pull, sha } = await open(name, files);
    await check(sha, 'doaas/plan', { conclusion: 'success' });
    await approve(pull);
    return { pull, sha };
  }

  async function applies(repo: RepositoryName, { pull, sha }: { pull: number; sha: string }): Promise<void> {
    await at(repo).say(pull, '/doaas apply');
    await at(repo).mergedSoon(pull, sha);
    await at(repo).check(sha, 'doaas/apply', { conclusion: 'success' });
  }

  /** In the middle of its apply, which goes on once the test lets it go. */
  async function midway(repo: RepositoryName, name: string, host = 0) {
    const run = await approved(repo, name, waits(name));
    await at(repo).say(run.pull, '/doaas apply');
    await begun(name, host);
    return run;
  }

  const sweep = (name: string) =>
    world.engine.temporal().workflow.execute('sweep', {
      workflowId: `sweep:${name}`,
      taskQueue: TASK_QUEUE,
      args: [],
    });

  const inStore = async <T>(use: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
  /** So says the store of a pull request's newest run, and that no server is kept for it. */
  const ended = async ({ owner, name }: RepositoryName, pull: number, state: string): Promise<void> => {
    const now = () =>
      inStore(async (store) => {
        const [run] = await store.runs.ofPull(`${owner}/${name}`, pull);
        const locks = (await store.locks.list()).filter(({ runId }) => runId === run?.id);
        return `${run?.state}, ${locks.length} locks, ${(await store.hosts.needRecovery()).length} to recover`;
      });
    const wanted = `${state}, 0 locks, 0 to recover`;
    await until(
      async () => ((await now()) === wanted ? true : undefined),
      `the run to be ${wanted}`,
      30,
      now,
    );
  };
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

  const statusOf = async (repo: RepositoryName, pull: number) => {
    const id = `pull-request:${repo.owner}/${repo.name}#${pull}`.toLowerCase();
    return (await world.engine.temporal().workflow.getHandle(id).describe()).status.name;
  };
  const ends = (repo: RepositoryName, pull: number) =>
    until(async () => ((await statusOf(repo, pull)) === 'COMPLETED' ? true : undefined), 'the end', 90);

  it.concurrent('a repository is transferred to an owner with the App: it goes on there', async () => {
    const old = await create('handed-over', true);
    const open = await approved(old, 'moved');
    const moved = await world.github.transferRepository(old, secondOrganisation(world.github.owner));
    await applies(moved, open);
    expect(await isOn('moved')).toBe('moved');
  });

  it.concurrent('a repository is transferred to somebody without the App: the next sweep ends its workflow', async () => {
    const repo = await create('given-away', true);
    const { pull } = await approved(repo, 'given');
    await world.github.transferRepository(repo, world.github.accounts.stranger.login);
    await sweep('after-a-transfer');
    await ends(repo, pull);
    expect(await isOn('given')).toBe('');
  });

  it.concurrent('a default branch is renamed under an approved plan: it is merged into the new one', async () => {
    const repo = await create('branches');
    const { pull, sha } = await approved(repo, 'stem');
    await world.github.renameDefaultBranch(repo, 'trunk');
    await applies(repo, { pull, sha });
    expect(await world.github.fileAt(repo, 'trunk', 'stem.yaml')).toContain('doaas-stem');
  });

  it.concurrent('a head is replaced by force: the approval does not count for the other', async () => {
    const repo = await create('forced');
    const { pull, sha } = await approved(repo, 'forced');
    const next = await world.github.forcePush(repo, 'forced', file('forced', 'other'));
    await at(repo).check(next, 'doaas/plan', { conclusion: 'success' });
    const asked = await at(repo).say(pull, '/doaas apply', world.github.accounts.second);
    await at(repo).answer(
      pull,
      asked,
      /Not applied\. Missing: .* it was for an older head|The head moved to/,
    );
    expect((await at(repo).checks(sha)).map(({ name }) => name)).not.toContain('doaas/apply');
    expect(await isOn('forced')).toBe('');
    await world.github.closePullRequest(repo, pull);
  });

  it.concurrent('a repository is deleted in the middle of an apply: put back, its server free, and all its workflows end', async () => {
    const repo = await create('deleted', false, 5);
    const { pull } = await midway(repo, 'deleted', 5);
    const idle = await at(repo).open('idle', file('idle'));
    await at(repo).check(idle.sha, 'doaas/plan');
    await world.github.deleteRepository(repo);
    await letGo('deleted', 5);
    await putBack('deleted', 5);
    for (const each of [pull, idle.pull]) await ends(repo, each);
    expect(await on('ls /var/tmp/deleted.* /etc/doaas-idle 2>/dev/null', 5)).toBe('');
    await ended(repo, pull, 'rolled-back');
  });

  it.concurrent('3,000 changed files: what is validated does not end where the list of GitHub does', async () => {
    const repo = await create('large');
    const many = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, n) => [`a/${String(n).padStart(4, '0')}.txt`, `${n}\n`]),
    );
    const files = {
      ...many,
      'z.yaml': configuration('last', { files: { '/etc/doaas-large': { contents: 'x' } } }),
    };
    const opened = performance.now();
    const { pull, sha } = await at(repo).open('large', files);
    const asked = performance.now();
    const validate = await at(repo).check(sha, 'doaas/validate', { conclusion: 'failure' });
    const seconds = (performance.now() - asked) / 1000;
    expect(validate.title).toMatch(/^z\.yaml: /);
    console.info(
      `3,001 files: opened in ${((asked - opened) / 1000).toFixed(1)} s, validated in ${seconds.toFixed(1)} s`,
    );
    const next = await world.github.push(repo, 'large', { 'z.yaml': file('large')['large.yaml'] ?? '' });
    const plan = await at(repo).check(next, 'doaas/plan', { conclusion: 'success' });
    expect(plan.title).toMatch(/^1 change on 1 server/);
    await world.github.closePullRequest(repo, pull);
  });

  it.concurrent('a repository and its default branch are renamed in the middle of an apply: merged there', async () => {
    const old = await create('travels', false, 1);
    const { pull, sha } = await midway(old, 'travels', 1);
    await world.github.renameDefaultBranch(old, 'trunk');
    const renamed = await world.github.renameRepository(old, 'travelled');
    await letGo('travels', 1);
    await at(renamed).mergedSoon(pull, sha);
    const told = await at(renamed).check(sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
    expect(told.title).toMatch(/^Applied 2 changes on 1 server/);
    expect(await world.github.fileAt(renamed, 'trunk', 'travels.yaml')).toContain('doaas-travels');
    await ended(old, pull, 'applied');
  });

  it.concurrent('a repository goes to an owner with the App in the middle of an apply: merged there, though it is told late', async () => {
    const old = await create('sold', false, 2);
    const { pull, sha } = await midway(old, 'sold', 2);
    const late = {
      event: 'repository',
      action: 'transferred',
      times: 1,
      effect: { delayMs: 2_000 },
    } as const;
    world.github.webhooks.faults.add(late);
    const moved = await world.github.transferRepository(old, secondOrganisation(world.github.owner));
    await letGo('sold', 2);
    await at(moved).mergedSoon(pull, sha);
    await at(moved).check(sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
    expect(await isOn('sold', 2)).toBe('sold');
    await ended(old, pull, 'applied');
  });

  it.concurrent('a repository goes to somebody without the App in the middle of an apply: put back, and ended', async () => {
    const repo = await create('snatched', true, 3);
    const { pull } = await midway(repo, 'snatched', 3);
    await world.github.transferRepository(repo, world.github.accounts.stranger.login);
    await letGo('snatched', 3);
    await putBack('snatched', 3);
    await ends(repo, pull);
    expect(await on('ls /var/tmp/snatched.* 2>/dev/null', 3)).toBe('');
    await ended(repo, pull, 'rolled-back');
  });

  it.concurrent('the App is taken off a repository in the middle of an apply: put back, said once it is there again, and applied anew', async () => {
    const repo = await create('dropped', false, 4);
    const { pull, sha } = await midway(repo, 'dropped', 4);
    await world.github.coverRepository(repo, false);
    await letGo('dropped', 4);
    await putBack('dropped', 4);
    await ended(repo, pull, 'rolled-back');
    expect((await at(repo).checks(sha)).find(({ name }) => name === 'doaas/apply')?.status).toBe(
      'in_progress',
    );
    await world.github.coverRepository(repo, true);
    const told = await at(repo).check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(told.title).toMatch(/^GitHub refused the merge: .*; 1 server restored as before$/);
    await at(repo).say(pull, '/doaas apply');
    await begun('dropped', 4);
    await letGo('dropped', 4);
    await at(repo).mergedSoon(pull, sha);
    await at(repo).check(sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
  });

  it('a repository is renamed: what was approved is applied, and what it owns stays its own', async () => {
    const old = await create('infra');
    await applies(old, await approved(old, 'first'));
    const open = await approved(old, 'second', file('first', 'changed'));
    const renamed = await world.github.renameRepository(old, 'platform');
    await applies(renamed, open);
    expect(await isOn('first')).toBe('changed');
    expect(await world.github.fileAt(renamed, 'main', 'first.yaml')).toContain('changed');

    // somebody else takes the name that is free now, and claims what the first one made
    const taken = await create('infra');
    const { pull, sha } = await at(taken).open('claim', file('first', 'stolen'));
    const plan = await at(taken).check(sha, 'doaas/plan', { conclusion: 'failure' });
    expect(plan.summary).toMatch(/belongs to Configuration\/first of the repository acme\/infra/);
    expect(await statusOf(old, pull)).toBe('COMPLETED');
    // nor is what it does not declare taken for what it gave up
    const other = await at(taken).open('other', file('other'));
    const own = await at(taken).check(other.sha, 'doaas/plan', { conclusion: 'success' });
    expect(own.title).toMatch(/^1 change on 1 server/);
    const later = await approved(renamed, 'third', file('first', 'again'));
    await applies(renamed, later);
    expect(await isOn('first')).toBe('again');
  });

  it('a repository is renamed while it is applied, and nobody tells: the run ends in the right one', async () => {
    const old = await create('before');
    const { pull, sha } = await approved(old, 'midway', waits('midway'));
    await at(old).say(pull, '/doaas apply');
    await begun('midway');
    world.github.webhooks.faults.add({ event: 'repository', times: 1, effect: 'drop' });
    const renamed = await world.github.renameRepository(old, 'after');
    await letGo('midway');
    await at(renamed).mergedSoon(pull, sha);
    await at(renamed).check(sha, 'doaas/apply', { conclusion: 'success' });

    // renamed again, and the name is taken at once: a pull request of that number is left alone
    world.github.webhooks.faults.add({ event: 'repository', times: 1, effect: 'drop' });
    const next = await approved(renamed, 'unnoticed', waits('unnoticed'));
    await at(renamed).say(next.pull, '/doaas apply');
    await begun('unnoticed');
    const final = await world.github.renameRepository(renamed, 'final');
    world.github.setWebhookUrl('http://127.0.0.1:9/');
    const taker = await create('after');
    await at(taker).open('one', file('one'));
    const stranger = await at(taker).open('two', file('two'));
    world.github.setWebhookUrl(`${world.engine.url()}/webhooks/github`);
    expect(stranger.pull).toBe(next.pull);
    await letGo('unnoticed');
    await until(async () => ((await isOn('unnoticed')) === '' ? true : undefined), 'the rollback', 90);
    expect(await world.github.listComments(taker, stranger.pull)).toEqual([]);
    expect(await at(taker).merged(stranger.pull)).toBe(false);
    await at(final).say(next.pull, '/doaas status');
    const told = await at(final).check(next.sha, 'doaas/apply', { conclusion: 'failure', seconds: 90 });
    expect(told.title).toMatch(/is another repository now .*; 1 server restored as before$/);
  });

  it('a repository is archived in the middle of an apply: the servers are put back, and it is said once it can be', async () => {
    const repo = await create('archived');
    const { pull, sha } = await approved(repo, 'shelved', waits('shelved'));
    await at(repo).say(pull, '/doaas apply');
    await begun('shelved');
    await world.github.setArchived(repo, true);
    await letGo('shelved');
    await until(async () => ((await isOn('shelved')) === '' ? true : undefined), 'the rollback');
    // the server is free for others meanwhile
    const other = await create('others');
    await applies(other, await approved(other, 'elsewhere'));
    expect((await at(repo).checks(sha)).find(({ name }) => name === 'doaas/apply')?.status).not.toBe(
      'completed',
    );
    await world.github.setArchived(repo, false);
    const told = await at(repo).check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(told.title).toMatch(/the repository is archived.*; 1 server restored as before$/);
    expect(await at(repo).merged(pull)).toBe(false);
  });

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
    const { pull, sha } = await approved(repo, 'left', waits('left'));
    await at(repo).say(pull, '/doaas apply');
    await begun('left');
    await world.github.uninstallApp();
    await letGo('left');
    await until(async () => ((await isOn('left')) === '' ? true : undefined), 'the rollback', 90);
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
