import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explain } from '../explain.ts';
import { policyVerbs } from '../policies.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';

/** What the gate says where its answer changes beside it: by a check in the last moment, the end of a run, a cancel, a draft, a merge. */
describe('the gate', { timeout: 6 * MINUTES }, () => {
  let world: World;
  const { setPolicy, change, waitingFor, mergedSoon, onHost, commentLike, closeOpen } = policyVerbs(
    () => world,
  );
  beforeAll(async () => {
    world = await startWorld({ files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
  });
  afterEach(closeOpen);
  afterAll(() => world?.close());

  it('hears of a check that ends after it has read the checks for a plan', async () => {
    await setPolicy('trigger: approval\nrules:\n  all: {checks: [ci/test]}\n');
    const { pull, sha } = await change('late-check');
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await waitingFor(sha, /Waiting for:\*\* the check ci\/test to be green \(rule all; it has not begun\)/);
    await world.github.webhooks.settled();
    const published = () =>
      world.github
        .requests()
        .filter(({ path }) => /\/check-runs(\/\d+)?$/.test(path))
        .map(({ body }) => JSON.stringify(body));
    const before = published().length;
    world.github.faults.add({
      method: 'PATCH',
      path: /\/check-runs\//,
      times: 4,
      respond: { delayMs: 6_000 },
    });
    await world.say(pull, '/doaas plan');
    await until(
      async () => {
        const since = published().slice(before);
        const begins = since.findIndex((body) => body.includes('in_progress'));
        return begins >= 0 && since.slice(begins).some((body) => body.includes('it has not begun'))
          ? true
          : undefined;
      },
      'the verdict on the new plan to be on its way',
      60,
      async () => JSON.stringify(published().slice(before)),
    );
    await world.github.postCheck(world.repo, sha, 'ci/test', 'success');
    await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 90 });
    await mergedSoon(pull);
    expect(await onHost('late-check')).toBe('late-check\n');
  });

  it('takes nothing away for good where an override is refused, or what it began is rolled back', async () => {
    await setPolicy('people: {override: {users: [olivia-owner]}}\nrules:\n  all: {checks: [ci/test]}\n');
    const { admin } = world.github.accounts;
    const { pull, sha } = await change('overridden', {}, [{ tcp: 'localhost:81', within: '1s' }]);
    await world.check(sha, 'doaas/plan');
    const both =
      /Waiting for:\*\* one approving review by somebody with write access [^;]*; the check ci\/test/;
    await waitingFor(sha, both);
    const refused = await world.say(pull, '/doaas apply --override the CI is down', admin);
    await world.answer(pull, refused, /Not applied. Missing: one approving review [^;]*\.$/);
    await waitingFor(sha, both);
    await world.approve(pull);
    await waitingFor(sha, /Waiting for:\*\* the check ci\/test/);
    await world.say(pull, '/doaas apply --override the CI is down', admin);
    await world.check(sha, 'doaas/apply', { conclusion: 'failure', title: /restored as before/ });
    await waitingFor(sha, /Waiting for:\*\* the check ci\/test/);
    expect(await explain(world, pull)).toContain(
      'the check ci/test to be green (rule all; it has not begun)',
    );
    expect(await world.comment(pull)).toContain('restored as before');
  });

  it('stays shut for what was cancelled, whatever it waited for, until somebody asks', async () => {
    await setPolicy('trigger: approval\nrules:\n  all: {checks: [ci/test]}\n');
    const { pull, sha } = await change('held-back');
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await waitingFor(sha, /\*\*Then:\*\* it is applied by itself/);
    const cancel = await world.say(pull, '/doaas cancel');
    await world.answer(pull, cancel, /this plan does not begin by itself any more/);
    await waitingFor(sha, /the check ci\/test [^*]*\*\*Then:\*\* `\/doaas apply`/);
    const again = await world.say(pull, '/doaas cancel');
    await world.answer(pull, again, /so there is nothing to cancel/);
    await world.github.postCheck(world.repo, sha, 'ci/test', 'success');
    await waitingFor(sha, /Waiting for:\*\* nothing/);
    expect((await world.checks(sha)).filter(({ name }) => name === 'doaas/apply')).toEqual([]);
    await world.say(pull, '/doaas apply');
    await mergedSoon(pull);
  });

  it('says that a draft is one as soon as it is', async () => {
    await setPolicy('rules:\n  all: {approvals: []}\n');
    const { pull, sha } = await change('draft');
    await waitingFor(sha, /Waiting for:\*\* nothing/);
    await world.github.setDraft(world.repo, pull, true);
    await waitingFor(sha, /Waiting for:\*\* the pull request is a draft/);
    await world.github.setDraft(world.repo, pull, false);
    await waitingFor(sha, /Waiting for:\*\* nothing/);
  });

  it('says whose team nobody can read, where that keeps people out', async () => {
    await setPolicy('people: {apply: {teams: [unseen]}}\nrules:\n  all: {approvals: []}\n');
    const { pull, sha } = await change('unseen');
    const unshown = /GitHub does not show the team unseen: is it spelt right, and has the App the permission/;
    const check = await waitingFor(sha, /Waiting for:\*\* nothing/);
    expect(check.summary).toMatch(unshown);
    const kept = await world.say(pull, '/doaas apply');
    const text = await world.answer(pull, kept, /keeps `apply` to a member of unseen. Nothing was done/);
    expect(text).toMatch(unshown);
  });

  it('tells whoever merges too early, with the next plan on that server as the way out', async () => {
    await setPolicy('{}\n');
    const early = await change('too-early');
    await world.check(early.sha, 'doaas/plan');
    await world.github.mergeByHand(world.repo, early.pull);
    const text = await commentLike(early.pull, /merged without being applied: with `trigger: comment`/);
    expect(text).toContain('The next pull request that changes something on them brings this along');
    expect(await onHost('too-early')).toBe('absent\n');
    const next = await change('after-it');
    expect((await world.check(next.sha, 'doaas/plan')).title).toMatch(/^2 changes on 1 server/);
    await world.approve(next.pull);
    await world.say(next.pull, '/doaas apply');
    await mergedSoon(next.pull);
    expect(await onHost('too-early')).toBe('too-early\n');
    const said = await world.github.listComments(world.repo, next.pull);
    expect(said.filter(({ body }) => /merged without being applied/.test(String(body)))).toEqual([]);
  });

  it('made the engine send GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});
