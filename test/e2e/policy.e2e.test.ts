import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../engine/store/store.ts';
import { applyShows } from '../applyShows.ts';
import { explain } from '../explain.ts';
import { heldStep, letGo, stepBegun } from '../heldStep.ts';
import { HEAD, isoDay, nextSecond, policyVerbs } from '../policies.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Policies of the default branch, on the lab's GitHub and a real host. */
describe('a policy', { timeout: 6 * MINUTES }, () => {
  let world: World;
  const {
    setPolicy,
    change,
    openOnly,
    applyHalves,
    waitingFor,
    mergedSoon,
    onHost,
    commentLike,
    pullOf,
    nameOf,
    parentsOf,
    closeLater,
    closeOpen,
  } = policyVerbs(() => world);
  beforeAll(async () => {
    world = await startWorld({
      hosts: 2,
      files: (hosts) => ({
        'servers.yaml': serverYaml(hosts.slice(0, 1)),
        // which no configuration of web servers is for
        'other.yaml': serverYaml(hosts.slice(1)).replace('web-1', 'db-1').replace('role: web', 'role: db'),
      }),
    });
    await world.github.createTeam('dba', [world.github.accounts.second]);
  });
  afterEach(closeOpen);
  afterAll(() => world?.close());

  it('asks for two approvals and one of a team; who pushed does not count; explain says the same', async () => {
    await setPolicy(`rules:
  everything: {approvals: [{count: 2}]}
  databases: {match: {paths: ["db/**"]}, approvals: [{teams: [dba]}]}
`);
    const { accounts } = world.github;
    const { pull, sha } = await change('two');
    await world.check(sha, 'doaas/plan');
    // which counts for nothing
    expect(await byBot(`/pulls/${pull}/reviews`, { event: 'APPROVE' })).toMatchObject({ state: 'APPROVED' });
    await world.approve(pull, accounts.reviewer);
    const check = await waitingFor(sha, /1 of 2 is there/);
    expect(check.summary).toMatch(
      /one approving review by a member of dba other than anna-author \(rule databases/,
    );
    const early = await world.say(pull, '/doaas apply');
    await world.answer(pull, early, /Not applied. Missing: 2 approving reviews by people with write access/);
    const said = await explain(world, pull);
    expect(said).toContain('databases   db/two.yaml');
    expect(said).toMatch(/judged \d{4}-\d\d-\d\dT[\d:]+Z, \d+ (second|minute)s? ago\n/);
    expect(said).toContain(
      '2 approving reviews by people with write access other than anna-author (rule everything; 1 of 2 is there)',
    );
    const json: unknown = JSON.parse(await explain(world, pull, '--json'));
    expect(json).toMatchObject({ number: pull, headSha: sha, ready: false, missing: { length: 2 } });
    await expect(explain(world, 999_999)).rejects.toThrow(/No plan of .*#999999 was judged/);

    await world.github.push(world.repo, 'two', { 'README.md': 'by the reviewer\n' }, accounts.reviewer);
    const head = await world.github.branchSha(world.repo, 'two');
    await world.check(head, 'doaas/plan');
    await world.approve(pull, accounts.reviewer);
    await waitingFor(head, /the one by rob-reviewer does not count: rob-reviewer pushed to it/);
    await world.approve(pull, accounts.second);
    await waitingFor(head, /1 of 2 is there/);
    await world.approve(pull, accounts.admin);
    await waitingFor(head, /Waiting for:\*\* nothing/);
    await nextSecond();
    await world.say(pull, '/doaas apply');
    await world.check(head, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
    expect(await onHost('two')).toBe('two\n');
  });

  it('knows who pushed under the name of another, also when the pull request was closed meanwhile', async () => {
    await setPolicy('rules:\n  all: {approvals: [{count: 1}]}\n');
    const { author, reviewer, second } = world.github.accounts;
    const { pull, sha } = await change('forged');
    await world.check(sha, 'doaas/plan');
    const head = await world.github.push(world.repo, 'forged', { 'NEWS.md': 'x\n' }, reviewer, author);
    await world.check(head, 'doaas/plan');
    await world.github.closePullRequest(world.repo, pull);
    await workflowEnded(pull);
    await world.github.reopenPullRequest(world.repo, pull);
    await world.approve(pull, reviewer);
    await waitingFor(head, /the one by rob-reviewer does not count: rob-reviewer pushed to it/);
    await nextSecond();
    const early = await world.say(pull, '/doaas apply', reviewer);
    await world.answer(pull, early, /Not applied. Missing: one approving review/);
    await world.approve(pull, second);
    await waitingFor(head, /Waiting for:\*\* nothing/);
    expect(await onHost('forged')).toBe('absent\n');
  });

  it('knows who pushed before a bot opened the pull request', async () => {
    const { author, reviewer, second } = world.github.accounts;
    const files = { '/etc/doaas-botted': { content: 'botted\n' } };
    const head = await world.github.branchWithChanges(
      world.repo,
      'botted',
      { 'db/botted.yaml': configuration('botted', { files }) },
      undefined,
      reviewer,
      author,
    );
    await world.github.webhooks.settled();
    const pull = await openAsBot('botted');
    closeLater(pull);
    await world.check(head, 'doaas/plan');
    await world.approve(pull, reviewer);
    await waitingFor(head, /the one by rob-reviewer does not count: rob-reviewer pushed to it/);
    await world.approve(pull, second);
    await waitingFor(head, /Waiting for:\*\* nothing/);
  });

  it('asks GitHub who pushed where no webhook told it, and waits while nobody does', async () => {
    const { author, reviewer, second } = world.github.accounts;
    const { faults } = world.github.webhooks;
    const { pull, sha } = await change('untold');
    await world.check(sha, 'doaas/plan');
    await world.github.webhooks.settled();
    faults.add({ event: 'push', times: 1, effect: 'drop' });
    faults.add({ event: 'pull_request', action: 'synchronize', times: 1, effect: 'drop' });
    const head = await world.github.push(world.repo, 'untold', { 'NEWS.md': 'x\n' }, reviewer, author);
    await world.github.webhooks.settled();
    await world.say(pull, '/doaas plan');
    await world.check(head, 'doaas/plan');
    world.github.faults.add({ path: /\/activity\?/, times: 10_000, respond: { status: 404, body: {} } });
    await world.approve(pull, second);
    await waitingFor(head, /nobody told who pushed [0-9a-f]{8} to untold; push a new commit/);
    world.github.faults.clear();
    await world.approve(pull, reviewer);
    const check = await waitingFor(head, /Waiting for:\*\* nothing/);
    expect(check.summary).not.toContain('nobody told');
    const asked = () => world.github.requests().filter(({ path }) => path.includes('/activity?')).length;
    const before = asked();
    const bare = await world.say(pull, '/doaas plan');
    await world.answer(pull, bare, /Planning/);
    await world.github.dismissReview(world.repo, pull, (await reviewOf(pull, second)) ?? 0);
    await waitingFor(head, /the one by rob-reviewer does not count: rob-reviewer pushed to it/);
    expect(asked()).toBe(before);
  });

  it('begins by itself at the last approval once the checks of others are green', async () => {
    await setPolicy(`trigger: approval
mergeMethod: squash
people: {apply: {teams: [dba]}}
rules: {all: {checks: [ci/test]}}
`);
    const { pull, sha } = await change('auto');
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await waitingFor(sha, /the check ci\/test to be green \(rule all; it has not begun\)/);
    await world.github.postCheck(world.repo, sha, 'ci/test', 'failure');
    await waitingFor(sha, /it failed/);
    await world.github.postCheck(world.repo, sha, 'ci/test', 'success');
    // rob-reviewer may approve, but not apply
    await waitingFor(
      sha,
      /nothing\. {3}\*\*Then:\*\* it is applied by itself when a member of dba has approved it/,
    );
    await world.approve(pull, world.github.accounts.second);
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
    expect(await onHost('auto')).toBe('auto\n');
    const tip = await world.github.branchSha(world.repo, 'main');
    expect(await parentsOf(tip)).toHaveLength(1);
  });

  it('that a pull request changes is validated, and the default branch judges; our own checks cannot be asked for', async () => {
    await setPolicy('rules:\n  all: {approvals: [{count: 2}]}\n');
    const loose = `${HEAD}  rules: {all: {approvals: []}}\n`;
    const { sha } = await change('loose', { '.doaas/policy.yaml': loose });
    const check = await waitingFor(sha, /2 approving reviews by people with write access/);
    expect(check.summary).toContain('It is judged by the policy of the default branch');

    const deadlock = await change('deadlock', {
      '.doaas/policy.yaml': `${HEAD}  rules: {all: {checks: [doaas/plan]}}\n`,
    });
    const validate = await world.check(deadlock.sha, 'doaas/validate', { conclusion: 'failure' });
    const annotations = await world.github.listAnnotations(world.repo, validate.id);
    expect(annotations[0]).toMatchObject({ path: '.doaas/policy.yaml', start_line: 5 });
    expect(String(annotations[0]?.message)).toContain('would wait for itself');
  });

  it('that is broken on the default branch shuts the gate and says so', async () => {
    await setPolicy('rules:\n  all: {approvals: [{count: 1}]}\n');
    const { pull, sha } = await change('broken');
    await world.check(sha, 'doaas/plan');
    await setPolicy('rulez: {}\n');
    await world.check(sha, 'doaas/validate', { conclusion: 'failure' });
    const { pull: mending, sha: mended } = await change('mending', { '.doaas/policy.yaml': `${HEAD}  {}\n` });
    await waitingFor(
      mended,
      /the policy on main is broken: Unknown property "rulez".*line 5 of .doaas\/policy.yaml/s,
    );
    await world.approve(mending);
    await nextSecond();
    const comment = await world.say(mending, '/doaas apply');
    await world.answer(mending, comment, /Not applied. Missing: the policy on main is broken/);
    expect(await onHost('mending')).toBe('absent\n');
    expect(await world.merged(pull)).toBe(false);
  });

  it('waits for its window without polling, and goes on by itself when that opens; in the middle of a run too, unless that is cancelled', {
    timeout: 12 * MINUTES,
  }, async () => {
    const shuts = new Date(Math.ceil((Date.now() + 90_000) / 60_000) * 60_000);
    const opens = new Date(shuts.getTime() + 180_000);
    const clock = (at: Date) => at.toISOString().slice(11, 16);
    // through midnight: all of the day but three minutes
    const hours = `{from: "${clock(opens)}", to: "${clock(shuts)}"}`;
    await setPolicy(`rules:\n  all: {window: {timeZone: UTC, hours: ${hours}}}\n`);
    const { second } = world.github.accounts;
    const revoked = await change('revoked');
    await world.check(revoked.sha, 'doaas/plan');
    await world.approve(revoked.pull);
    const shutOut = (sha: string) => applyShows(world, sha, /^Waiting for the change window/, 240);
    // one half on each side of the window
    const pause = `${Math.ceil((shuts.getTime() - Date.now()) / 1000)}s`;
    const rollout = { rollout: { pause, unreachable: 'wait' } };
    const [long, halted] = await Promise.all([
      applyHalves('long', ['sooner', 'later'], rollout),
      applyHalves('halted', ['kept-out', 'never'], { ...rollout, targets: { hosts: ['db-1'] } }),
    ]);
    const [shut] = await Promise.all([shutOut(long.sha), shutOut(halted.sha)]);
    const opening = opens.toISOString().slice(0, 16).replace('T', ' ');
    expect(shut.title).toBe('Waiting for the change window: batch 2 of 2, 1 of 2 steps done on 1 server');
    expect(shut.summary).toContain(`waiting for the change window, which opens ${opening} UTC; `);
    expect(await onHost('sooner')).toBe('sooner\n');
    expect(await onHost('later')).toBe('absent\n');

    const onOther = async () => (await world.hosts[1]?.exec('ls /etc | grep doaas-'))?.stdout;
    expect(await onOther()).toBe('doaas-kept-out\n');
    const stop = await world.say(halted.pull, '/doaas cancel');
    await world.answer(halted.pull, stop, /at the next safe point/);
    const asks = await world.check(halted.sha, 'doaas/apply', { conclusion: 'action_required' });
    expect(asks.title).toBe('Stopped: 0 of 1 server changed');
    expect(asks.summary).toContain('◐ changed in part');
    await world.say(halted.pull, '/doaas rollback');
    await world.check(halted.sha, 'doaas/apply', {
      conclusion: 'failure',
      title: /; 1 server restored as before$/,
    });
    expect(await onOther()).toBe('');
    expect(Date.now()).toBeLessThan(opens.getTime());

    const { pull, sha } = await change('window');
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await waitingFor(sha, /Waiting for:\*\* the change window every day [^;]*; it opens/);
    const first = await world.say(pull, '/doaas apply');
    await world.answer(pull, first, /The change window is shut/);
    const cancel = await world.say(pull, '/doaas cancel');
    await world.answer(pull, cancel, /It no longer waits for the change window. Nothing was applied./);
    const comment = await world.say(pull, '/doaas apply');
    await world.answer(pull, comment, /The change window is shut. This is applied by itself when it opens/);
    await world.answer(revoked.pull, await world.say(revoked.pull, '/doaas apply', second), /window is shut/);
    await world.github.setCollaborator(world.repo, second, 'pull');
    const asked = world.github.requests().length;
    await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 240 });
    await commentLike(revoked.pull, /waited, and is not applied any more: `apply` needs write access/);
    await world.github.setCollaborator(world.repo, second, 'push');
    expect(await onHost('revoked')).toBe('absent\n');
    expect(Date.now()).toBeGreaterThanOrEqual(opens.getTime());
    await mergedSoon(pull);
    await mergedSoon(long.pull);
    const written = await world.hosts[0]?.exec('stat -c %Y /etc/doaas-sooner /etc/doaas-later');
    const [sooner = 0, later = 0] = (written?.stdout ?? '').trim().split('\n').map(Number);
    expect(sooner * 1000).toBeLessThan(shuts.getTime());
    expect(later * 1000).toBeGreaterThanOrEqual(opens.getTime());
    const judged = await inStore(({ audit }) => audit.list({ repository: nameOf(), pull: long.pull }));
    // before the first batch, and once more when the window opened
    expect(judged.filter(({ what }) => what === 'confirm')).toHaveLength(2);
    // planning, judging, applying and merging once; waiting asks nothing
    expect(world.github.requests().length - asked).toBeLessThan(150);
  });

  it('lets those whom it names break the glass, shown and logged for good', async () => {
    const [today, later] = [0, 5].map((days) => isoDay(Date.now() + days * 86_400_000));
    await setPolicy(`people:
  {apply: {users: [rob-reviewer]}, breakGlass: {users: [olivia-owner]},
  notify: {teams: [dba], users: [rob-reviewer]}}
rules:
  all: {approvals: [{count: 2}], window: {timeZone: UTC, freeze: [{from: "${today}", to: "${later}"}]}}
`);
    const { pull, sha } = await change('glass');
    await world.check(sha, 'doaas/plan');
    const refused = await world.say(pull, '/doaas apply --break-glass shop is down');
    await world.answer(pull, refused, /keeps `apply --break-glass` to olivia-owner. Nothing was done/);
    const none = await world.say(pull, '/doaas apply --override now', world.github.accounts.admin);
    await world.answer(pull, none, /names nobody for `apply --override`/);
    await world.say(pull, '/doaas apply --break-glass shop is down, @everyone', world.github.accounts.admin);
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
    const text = await commentLike(pull, /### The glass was broken by olivia-owner/);
    expect(await world.comment(pull)).toContain('**The glass was broken by olivia-owner:** shop is down');
    expect(text).toContain('Reason: shop is down, @&#8203;everyone');
    expect(text).toContain('2 approving reviews');
    expect(text).toContain('the change window');
    expect(text).toContain('@rob-reviewer @acme/dba');
    const audit = await inStore((store) => store.audit.list({ repository: nameOf(), pull }));
    expect(audit.find(({ what }) => what === 'break-glass')).toMatchObject({
      who: 'olivia-owner',
      headSha: sha,
      detail: { reason: 'shop is down, @everyone', lifted: { length: 2 } },
    });
  });

  it('validates forks only, until somebody who may write names the head', async () => {
    await setPolicy('{}\n');
    const fork = await world.github.createRepository({ name: 'a-fork', files: { 'README.md': '' } });
    const { pull, sha } = await change('fork');
    await world.github.makeFork(world.repo, pull, fork);
    const next = await world.github.push(world.repo, 'fork', { 'NEWS.md': 'x\n' });
    await world.check(next, 'doaas/validate');
    const { reader, reviewer } = world.github.accounts;
    const denied = await world.say(pull, `/doaas plan ${next}`, reader);
    await world.answer(pull, denied, /needs write access/);
    const bare = await world.say(pull, '/doaas plan', reviewer);
    await world.answer(pull, bare, /comes from a fork, so it is validated only/);
    const old = await world.say(pull, `/doaas plan ${sha}`, reviewer);
    await world.answer(pull, old, /The head is [0-9a-f]{40} now, not/);
    expect((await world.checks(next)).filter((run) => run.name === 'doaas/plan')).toEqual([]);
    await world.say(pull, `/doaas plan ${next}`, reviewer);
    expect((await world.check(next, 'doaas/plan')).summary).toContain('one approving review');
    const newer = await world.github.push(world.repo, 'fork', { 'NEWS.md': 'y\n' });
    await world.check(newer, 'doaas/validate');
    const again = await world.say(pull, '/doaas apply', reviewer);
    await world.answer(pull, again, /comes from a fork, so it is validated only/);
  });

  it('that applies before the merge fails the plan of a merge queue; after it, passes', async () => {
    await setPolicy('{}\n');
    const { pull, sha } = await change('queue');
    const before = await world.github.requestMergeGroup(world.repo, pull);
    expect((await world.check(before, 'doaas/validate')).conclusion).toBe('success');
    expect(await world.check(before, 'doaas/plan')).toMatchObject({
      conclusion: 'failure',
      title: 'A merge queue would merge what is not applied',
    });
    // whoever put it into the queue is asked for
    await setPolicy('trigger: merge\npeople: {apply: {users: [rob-reviewer]}}\n');
    const after = await world.github.requestMergeGroup(world.repo, pull);
    expect((await world.check(after, 'doaas/plan')).conclusion).toBe('success');
    // the queue merges; what the gate says of the pull request itself holds all the same, by the policy of now
    await world.check(sha, 'doaas/plan', { conclusion: 'action_required' });
    await world.approve(pull);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.mergeByQueue(world.repo, pull);
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    expect(await onHost('queue')).toBe('queue\n');

    const early = await change('jumped');
    await world.check(early.sha, 'doaas/plan', { conclusion: 'action_required' });
    const group = await world.github.requestMergeGroup(world.repo, early.pull);
    expect((await world.check(group, 'doaas/plan')).conclusion).toBe('success');
    await world.github.mergeByHand(world.repo, early.pull);
    const text = await commentLike(early.pull, /Merged, but not applied. Missing: one approving review/);
    expect(await onHost('jumped')).toBe('absent\n');
    await world.github.mergeByHand(world.repo, await pullOf(text));
  });

  it('applies after the merge; what fails is rolled back and its revert opened, what was not approved is not applied', async () => {
    await setPolicy('trigger: merge\n');
    const good = await change('merged');
    await world.check(good.sha, 'doaas/plan', { conclusion: 'action_required' });
    await world.approve(good.pull);
    await world.check(good.sha, 'doaas/plan', { conclusion: 'success' });
    const comment = await world.say(good.pull, '/doaas apply');
    await world.answer(good.pull, comment, /applies after the merge: merge this pull request/);
    await world.github.mergeByHand(world.repo, good.pull);
    await world.check(good.sha, 'doaas/apply', { conclusion: 'success' });
    expect(await onHost('merged')).toBe('merged\n');

    const bad = await change('failing', {}, [{ tcp: 'localhost:81', within: '1s' }]);
    await world.check(bad.sha, 'doaas/plan');
    await world.approve(bad.pull);
    await world.check(bad.sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.mergeByHand(world.repo, bad.pull);
    const failed = await world.check(bad.sha, 'doaas/apply', { conclusion: 'failure' });
    expect(failed.title).toContain('restored as before');
    expect(await onHost('failing')).toBe('absent\n');
    const revert = await pullOf(failed.summary);
    await world.github.mergeByHand(world.repo, revert);
    expect(await world.github.fileAt(world.repo, 'main', 'db/failing.yaml')).toBeUndefined();

    const hasty = await change('hasty');
    await world.check(hasty.sha, 'doaas/plan', { conclusion: 'action_required' });
    await world.github.mergeByHand(world.repo, hasty.pull);
    const text = await commentLike(hasty.pull, /Merged, but not applied. Missing: one approving review/);
    expect(await onHost('hasty')).toBe('absent\n');
    await world.github.mergeByHand(world.repo, await pullOf(text));
    expect(await world.github.fileAt(world.repo, 'main', 'db/hasty.yaml')).toBeUndefined();

    const free = `${HEAD}  trigger: merge\n  rules: {all: {approvals: []}}\n`;
    const selfish = await change('selfish', { '.doaas/policy.yaml': free });
    await world.check(selfish.sha, 'doaas/plan', { conclusion: 'action_required' });
    await world.github.mergeByHand(world.repo, selfish.pull);
    await commentLike(selfish.pull, /Merged, but not applied. Missing: one approving review/);
    expect(await onHost('selfish')).toBe('absent\n');
  });

  it('is asked again when a run has its servers, and of a head that moved under a comment', async () => {
    await setPolicy('rules:\n  all: {approvals: [{count: 1}]}\n');
    const slow = await openOnly('slow', {
      'db/slow.yaml': configuration('slow', { scripts: { slow: heldStep('slow', 'exit 1') } }),
    });
    const next = await change('dismissed');
    await world.check(slow.sha, 'doaas/plan');
    await world.check(next.sha, 'doaas/plan');
    await world.approve(slow.pull);
    const { reviewer } = world.github.accounts;
    const review = await world.github.review(world.repo, next.pull, reviewer, 'APPROVE');
    await world.say(slow.pull, '/doaas apply');
    await stepBegun(world.hosts.slice(0, 1), 'slow');
    await world.say(next.pull, '/doaas apply');
    const applyOf = async () => (await world.checks(next.sha)).find((run) => run.name === 'doaas/apply');
    await until(async () => ((await applyOf())?.status === 'queued' ? true : undefined), 'it to wait', 20);
    await world.github.dismissReview(world.repo, next.pull, review);
    await letGo(world.hosts, 'slow');
    const stale = await world.check(next.sha, 'doaas/apply', { conclusion: 'neutral' });
    expect(stale.summary).toContain('it is not ready any more. Missing: one approving review');
    expect(await onHost('dismissed')).toBe('absent\n');

    await setPolicy('rules:\n  all: {approvals: []}\n');
    await waitingFor(next.sha, /Waiting for:\*\* nothing/);
    const { faults } = world.github.webhooks;
    faults.add({ event: 'pull_request', action: 'synchronize', times: 1, effect: 'after-next' });
    const files = { '/etc/doaas-dismissed': { content: 'other\n' } };
    await world.github.push(world.repo, 'dismissed', {
      'db/dismissed.yaml': configuration('dismissed', { files }),
    });
    const early = await world.say(next.pull, '/doaas apply');
    await world.answer(next.pull, early, /The head moved to [0-9a-f]{8} when you asked/);
    expect(await onHost('dismissed')).toBe('absent\n');
  });

  it('made the engine send GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });

  const name = () => `${world.repo.owner}/${world.repo.name}`;

  async function workflowEnded(pull: number): Promise<void> {
    const handle = world.engine.temporal().workflow.getHandle(`pull-request:${name()}#${pull}`.toLowerCase());
    const status = async () => (await handle.describe()).status.name;
    await until(async () => ((await status()) === 'COMPLETED' ? true : undefined), 'the workflow to end', 30);
  }

  async function request(method: string, path: string, token: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${world.github.url}/repos/${name()}${path}`, {
      method,
      headers: { authorization: `token ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.json();
  }

  /** As an App does; ours is the lab's only one that has a token. */
  function byBot(path: string, body: object): Promise<unknown> {
    const [token = ''] = world.github.installationTokens();
    return request('POST', path, token, body);
  }

  async function openAsBot(branch: string): Promise<number> {
    const made = await byBot('/pulls', { title: branch, head: branch, base: 'main' });
    return (made as { readonly number: number }).number;
  }

  async function reviewOf(pull: number, by: { readonly login: string }): Promise<number | undefined> {
    const { token } = world.github.accounts.admin;
    const reviews = (await request('GET', `/pulls/${pull}/reviews`, token)) as readonly {
      readonly id: number;
      readonly user: { readonly login: string };
    }[];
    return reviews.find(({ user }) => user.login === by.login)?.id;
  }

  async function inStore<T>(use: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>): Promise<T> {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }
});
