import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HEAD, nextSecond, policyVerbs } from '../policies.ts';
import { MINUTES } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';

/** What a repository and the rules of its default branch say of merges is known before a server is changed. */
describe("GitHub's own rules for a merge", { timeout: 3 * MINUTES }, () => {
  let world: World;
  const { change, mergedSoon, onHost, nameOf, waitingFor, closeOpen } = policyVerbs(() => world);
  beforeAll(async () => {
    world = await startWorld({
      files: (hosts) => ({
        'servers.yaml': serverYaml(hosts),
        '.doaas/policy.yaml': `${HEAD}  mergeMethod: squash\n`,
      }),
    });
  }, 3 * MINUTES);
  afterEach(closeOpen);
  afterAll(() => world?.close());

  const messageOf = async (sha: string): Promise<string> => {
    const answer = await fetch(`${world.github.url}/repos/${nameOf()}/git/commits/${sha}`, {
      headers: { authorization: `token ${world.github.accounts.admin.token}` },
    });
    return ((await answer.json()) as { readonly message: string }).message;
  };

  it('a merge method that is not allowed keeps the gate shut; a squash says whose work it is', async () => {
    await world.github.setMergeMethods(world.repo, ['merge']);
    const { pull } = await change('squashed');
    const { author, second } = world.github.accounts;
    const more = { 'README.md': '# of two\n' };
    const sha = await world.github.push(world.repo, 'squashed', more, author, second);
    await waitingFor(sha, /mergeMethod is squash, which the repository does not allow \(it allows merge\)/);
    await world.approve(pull);
    await nextSecond();
    const early = await world.say(pull, '/doaas apply');
    await world.answer(pull, early, /Not applied. Missing: the policy's mergeMethod is squash/);
    expect(await onHost('squashed')).toBe('absent\n');

    await world.github.setMergeMethods(world.repo, ['squash']);
    await world.say(pull, '/doaas apply');
    await mergedSoon(pull);
    const message = await messageOf(await world.github.branchSha(world.repo, 'main'));
    expect(message).toMatch(
      /\n\n\* .+\n\n\* .+\n\nApplied by run \S+, plan \w{12}\.\n\nCo-authored-by: .+>$/s,
    );
    expect(message).toContain(`${second.login}@`);
  });

  it('a branch that has to be up to date, and is not, is not applied', async () => {
    await world.github.protect(world.repo, [], true);
    const { pull, sha } = await change('behind');
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.github.push(world.repo, 'main', { 'README.md': '# newer\n' });
    await waitingFor(sha, /the branch is behind .+, whose rules on GitHub want it up to date/);
    const early = await world.say(pull, '/doaas apply');
    await world.answer(pull, early, /Not applied. Missing: the branch is behind `main`/);
    expect(await onHost('behind')).toBe('absent\n');
  });

  it('what blocks the merge is told, and a run that makes it green is begun', async () => {
    await world.github.protect(world.repo, ['doaas/apply', 'doaas/verify']);
    const { pull, sha } = await change('blocked');
    await waitingFor(sha, /the rules of .+ block the merge now/);
    await world.approve(pull);
    await nextSecond();
    await world.say(pull, '/doaas apply');
    await mergedSoon(pull);
    expect(await onHost('blocked')).toBe('blocked\n');
  });
});
