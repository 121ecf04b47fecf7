import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HEAD, isoDay, nextSecond, policyVerbs } from '../policies.ts';
import { MINUTES } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** What becomes of a change that is not to be applied, or not any more. */
describe('taking back', { timeout: 6 * MINUTES }, () => {
  let world: World;
  const { setPolicy, change, waitingFor, mergedSoon, onHost, commentLike, pullOf, closeOpen, unheard } =
    policyVerbs(() => world);
  beforeAll(async () => {
    world = await startWorld({ hosts: 1, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
  });
  afterEach(closeOpen);
  afterAll(() => world?.close());

  const branchFile = (path: string) => world.github.fileAt(world.repo, 'main', path);
  const frozen = () => {
    const [today, later] = [0, 5].map((days) => isoDay(Date.now() + days * 86_400_000));
    return `{timeZone: UTC, freeze: [{from: "${today}", to: "${later}"}]}`;
  };
  /** As anybody can who may push. */
  const takeNames = async (pull: number) => {
    const name = `doaas/revert-${pull}`;
    for (const branch of [name, ...[2, 3, 4, 5].map((n) => `${name}-${n}`)])
      await world.github.branchWithChanges(world.repo, branch, { 'NEWS.md': `${branch}\n` });
  };

  it('leaves what others merged before a rebase, and judges it by the policy before all of its commits', async () => {
    await setPolicy('trigger: merge\n');
    const { number } = await unheard(async () => {
      const policy = { '.doaas/policy.yaml': `${HEAD}  trigger: comment\n` };
      await world.github.branchWithChanges(world.repo, 'rebased', policy);
      const files = { '/etc/doaas-rebased': { content: 'rebased\n' } };
      await world.github.push(world.repo, 'rebased', { 'rebased.yaml': configuration('rebased', { files }) });
      const number = await world.github.openPullRequest(world.repo, { branch: 'rebased' });
      await world.github.branchWithChanges(world.repo, 'theirs', { 'NEWS.md': 'theirs\n' });
      const theirs = await world.github.openPullRequest(world.repo, { branch: 'theirs' });
      const { reviewer } = world.github.accounts;
      await world.github.mergeByHand(world.repo, theirs, reviewer, 'rebase');
      await world.github.mergeByHand(world.repo, number, reviewer, 'rebase');
      return { number };
    });
    const text = await commentLike(number, /Merged, but not applied.* pull request #.* reverts it/s);
    await world.github.mergeByHand(world.repo, await pullOf(text));
    expect(await branchFile('rebased.yaml')).toBeUndefined();
    expect(await branchFile('.doaas/policy.yaml')).toBe(`${HEAD}  trigger: merge\n  `);
    expect(await branchFile('NEWS.md')).toBe('theirs\n');
  });

  it('begins nothing when its window opens that somebody cancelled before, asked for or not', async () => {
    await setPolicy(`trigger: approval\nrules: {all: {approvals: [{count: 1}], window: ${frozen()}}}\n`);
    const unasked = await change('unasked');
    const asked = await change('asked');
    for (const { pull, sha } of [unasked, asked]) {
      await world.check(sha, 'doaas/plan');
      await world.approve(pull);
      await waitingFor(sha, /Waiting for:\*\* the change window.*it is applied by itself/s);
    }
    await world.answer(asked.pull, await world.say(asked.pull, '/doaas apply'), /The change window is shut/);
    for (const [{ pull, sha }, command] of [
      [unasked, '/doaas cancel'],
      [asked, '/doaas rollback'],
    ] as const) {
      const said =
        /It no longer waits for the change window. Nothing was applied. `\/doaas apply` asks for it again/;
      await world.answer(pull, await world.say(pull, command), said);
      await waitingFor(sha, /Waiting for:\*\* the change window.*Then:\*\* `\/doaas apply`/s);
      await world.answer(pull, await world.say(pull, '/doaas cancel'), /there is nothing to cancel/);
    }
    await setPolicy('trigger: approval\nrules: {all: {approvals: [{count: 1}]}}\n');
    for (const { pull, sha } of [unasked, asked]) {
      await waitingFor(sha, /Waiting for:\*\* nothing/);
      // what came before it has been done
      await world.answer(pull, await world.say(pull, '/doaas help'), /doaas apply/);
      expect((await world.checks(sha)).map(({ name }) => name)).not.toContain('doaas/apply');
    }
    expect([await onHost('unasked'), await onHost('asked')]).toEqual(['absent\n', 'absent\n']);
    await nextSecond();
    await world.say(unasked.pull, '/doaas apply');
    await mergedSoon(unasked.pull);
    expect(await onHost('unasked')).toBe('unasked\n');
  });

  it('says so where a merged change can be neither applied nor reverted', async () => {
    await setPolicy('trigger: merge\nrules: {all: {approvals: [{count: 1}]}}\n');
    const unapproved = await change('unapproved');
    await world.check(unapproved.sha, 'doaas/plan');
    await takeNames(unapproved.pull);
    await world.github.mergeByHand(world.repo, unapproved.pull);
    const { pull } = unapproved;
    await commentLike(
      pull,
      new RegExp(
        `^Merged, but not applied. Missing: one approving review.* Nothing was changed, and its revert could not be opened: The branches doaas/revert-${pull} and .* Take it back by hand`,
        'ms',
      ),
    );
    expect(await onHost('unapproved')).toBe('absent\n');
    await world.github.push(world.repo, 'main', { 'db/unapproved.yaml': null });

    const failing = await change('failing', {}, [{ tcp: 'localhost:81', within: '1s' }]);
    await world.check(failing.sha, 'doaas/plan');
    await takeNames(failing.pull);
    await world.approve(failing.pull);
    await waitingFor(failing.sha, /Waiting for:\*\* nothing/);
    await world.github.mergeByHand(world.repo, failing.pull);
    const check = await world.check(failing.sha, 'doaas/apply', { conclusion: 'failure' });
    expect(check.summary).toMatch(
      /It is merged, so the branch says what the servers are not, and its revert could not be opened: The branches doaas\/revert-.*take it back by hand/s,
    );
    expect(await onHost('failing')).toBe('absent\n');
    await world.github.push(world.repo, 'main', { 'db/failing.yaml': null });
  });

  it('is told by the next plan, while the branch has what failed after its merge', async () => {
    await setPolicy('trigger: merge\nrules: {all: {approvals: [{count: 1}]}}\n');
    const failing = await change('broken', {}, [{ tcp: 'localhost:81', within: '1s' }]);
    await world.check(failing.sha, 'doaas/plan');
    await world.approve(failing.pull);
    await waitingFor(failing.sha, /Waiting for:\*\* nothing/);
    await world.github.mergeByHand(world.repo, failing.pull);
    const { summary } = await world.check(failing.sha, 'doaas/apply', { conclusion: 'failure' });
    const next = await change('later');
    const revert = await pullOf(summary);
    const number = (pull: number) => `#(?:&#8203;)?${pull}`;
    const said = `has what ${number(failing.pull)} brought; that failed and was taken back on web-1\\. This plan would bring it back: merge its revert, ${number(revert)}, first`;
    expect((await world.check(next.sha, 'doaas/plan')).summary).toMatch(new RegExp(said));
    await world.github.mergeByHand(world.repo, revert);
    const after = await change('after');
    expect((await world.check(after.sha, 'doaas/plan')).summary).not.toContain('would bring it back');
  });

  it('made the engine send GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});
