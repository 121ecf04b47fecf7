import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secondOrganisation } from '../../lab/github/accounts.ts';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';
import { storyVerbs } from './stories.ts';

/** What becomes of repositories and their branches while pull requests are open and runs go on. */
describe('repositories, while pull requests are open', { timeout: 4 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      hosts: 8,
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts.slice(0, 1)) }),
    });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const stories = storyVerbs(() => world);
  const { create, at, approved, applies, midway, begun, letGo, putBack } = stories;
  const { on, file, isOn, sweep, ended, statusOf, ends } = stories;
  /** It has failed, and its document wants somebody to say what becomes of what is done, without a limit. */
  const asks = async (repo: RepositoryName, name: string, host: number) => {
    const opened = await approved(repo, name, {
      [`${name}.yaml`]: configuration(name, {
        files: { [`/etc/doaas-${name}`]: { content: `${name}\n` } },
        scripts: { [name]: { check: 'false', apply: 'exit 1', undo: 'true' } },
        rollout: { onExceeded: 'hold' },
      }),
    });
    await at(repo).say(opened.pull, '/doaas apply');
    await at(repo).check(opened.sha, 'doaas/apply', { conclusion: 'action_required' });
    expect(await isOn(name, host)).toBe(name);
    return opened;
  };

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

  it.concurrent('another branch becomes the default one: only what goes into that is applied', async () => {
    const repo = await create('switched');
    const { pull, sha } = await approved(repo, 'kept');
    const files = file('later');
    await world.github.branchWithChanges(repo, 'trunk', { 'README.md': '# trunk\n' });
    const next = await world.github.branchWithChanges(repo, 'later', files, 'trunk');
    const other = await world.github.openPullRequest(repo, { branch: 'later', base: 'trunk' });
    const says = (head: string, text: RegExp) =>
      until(
        async () =>
          (await at(repo).checks(head)).find(
            ({ name, summary }) => name === 'doaas/plan' && text.test(summary),
          ),
        `the plan of ${head} to say ${text}`,
      );
    await says(next, /goes into \\`trunk\\`; only what goes into \\`main\\` is applied/);
    await world.github.setDefaultBranch(repo, 'trunk');
    await says(sha, /goes into \\`main\\`; only what goes into \\`trunk\\` is applied/);
    await says(next, /Waiting for:\*\* one approving review/);
    await at(repo).approve(other);
    await applies(repo, { pull: other, sha: next });
    expect([await isOn('later'), await isOn('kept')]).toEqual(['later', '']);
    await world.github.editPull(repo, pull, { base: 'trunk' });
    await says(sha, /Waiting for:\*\* nothing/);
    await applies(repo, { pull, sha });
    expect(await isOn('kept')).toBe('kept');
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

  it.concurrent('a repository is deleted while a run asks what is to become of what it did: put back, its server free', async () => {
    const repo = await create('unanswered', false, 6);
    const { pull } = await asks(repo, 'unanswered', 6);
    await world.github.deleteRepository(repo);
    await putBack('unanswered', 6);
    await ended(repo, pull, 'rolled-back');
    await ends(repo, pull);
  });

  it.concurrent('a repository is archived while a run asks what is to become of what it did: put back, and said once it can be', async () => {
    const repo = await create('unasked', false, 7);
    const { pull, sha } = await asks(repo, 'unasked', 7);
    await world.github.setArchived(repo, true);
    await putBack('unasked', 7);
    await ended(repo, pull, 'rolled-back');
    await world.github.setArchived(repo, false);
    const told = await at(repo).check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(told.title).toMatch(/; 1 server restored as before$/);
    await world.github.closePullRequest(repo, pull);
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
    const { pull, sha } = await midway(old, 'midway');
    world.github.webhooks.faults.add({ event: 'repository', times: 1, effect: 'drop' });
    const renamed = await world.github.renameRepository(old, 'after');
    await letGo('midway');
    await at(renamed).mergedSoon(pull, sha);
    await at(renamed).check(sha, 'doaas/apply', { conclusion: 'success' });

    // renamed again, and the name is taken at once: a pull request of that number is left alone
    world.github.webhooks.faults.add({ event: 'repository', times: 1, effect: 'drop' });
    const next = await midway(renamed, 'unnoticed');
    const final = await world.github.renameRepository(renamed, 'final');
    world.github.setWebhookUrl('http://127.0.0.1:9/');
    const taker = await create('after');
    await at(taker).open('one', file('one'));
    const stranger = await at(taker).open('two', file('two'));
    world.github.setWebhookUrl(`${world.engine.url()}/webhooks/github`);
    expect(stranger.pull).toBe(next.pull);
    await letGo('unnoticed');
    await putBack('unnoticed');
    expect(await world.github.listComments(taker, stranger.pull)).toEqual([]);
    expect(await at(taker).merged(stranger.pull)).toBe(false);
    await at(final).say(next.pull, '/doaas status');
    const told = await at(final).check(next.sha, 'doaas/apply', { conclusion: 'failure', seconds: 90 });
    expect(told.title).toMatch(/is another repository now .*; 1 server restored as before$/);
  });

  it('a repository is archived in the middle of an apply: the servers are put back, and it is said once it can be', async () => {
    const repo = await create('archived');
    const { pull, sha } = await midway(repo, 'shelved');
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
});
