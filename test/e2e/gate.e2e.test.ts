import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../lab/hosts.ts';
import { explain } from '../explain.ts';
import { heldStep, letGo } from '../heldStep.ts';
import { hostKeyOf } from '../hostKey.ts';
import { isoDay, nextSecond, policyVerbs } from '../policies.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** What a change is judged by: servers as what they are, checks, owners and people as who they are. */
describe('the gate', { timeout: 6 * MINUTES }, () => {
  let world: World;
  const {
    setPolicy,
    change,
    openOnly,
    waitingFor,
    mergedSoon,
    onHost,
    commentLike,
    pullOf,
    parentsOf,
    closeLater,
    closeOpen,
    unheard,
  } = policyVerbs(() => world);
  const database = (role = 'db') => databaseYaml(world.hosts, role);
  beforeAll(async () => {
    world = await startWorld({
      hosts: 2,
      files: (hosts) => ({
        'servers.yaml': serverYaml(hosts.slice(0, 1)),
        'database.yaml': databaseYaml(hosts, 'db'),
      }),
    });
    await world.github.createTeam('dba', [world.github.accounts.second]);
  });
  afterEach(closeOpen);
  afterAll(() => world?.close());

  it('takes a check of one App from that App only, and commit statuses too; a fork is woken as well', async () => {
    await setPolicy(
      'trigger: approval\nrules:\n  all: {checks: [{name: ci/test, app: acme-ci}, ci/legacy]}\n',
    );
    const fork = await world.github.createRepository({ name: 'checked-fork', files: { 'README.md': '' } });
    const opened = await change('checked');
    await world.github.makeFork(world.repo, opened.pull, fork);
    const sha = await world.github.push(world.repo, 'checked', { 'NEWS.md': 'x\n' });
    await world.check(sha, 'doaas/validate');
    const { accounts } = world.github;
    await world.say(opened.pull, `/doaas plan ${sha}`, accounts.reviewer);
    await world.check(sha, 'doaas/plan');
    await world.approve(opened.pull, accounts.second);
    await waitingFor(sha, /the check ci\/test of the App acme-ci to be green \(rule all; it has not begun\)/);
    await world.github.postCheck(world.repo, sha, 'ci/test', 'success');
    await world.github.postStatus(world.repo, sha, 'ci/test', 'success', accounts.author);
    await world.github.postStatus(world.repo, sha, 'ci/legacy', 'failure', 'old-ci');
    await waitingFor(
      sha,
      /ci\/test of the App acme-ci [^;]*; it has not begun\); the check ci\/legacy [^;]*; it failed/,
    );
    await world.github.postCheck(world.repo, sha, 'ci/test', 'success', 'acme-ci');
    await waitingFor(sha, /Waiting for:\*\* the check ci\/legacy/);
    await world.github.postStatus(world.repo, sha, 'ci/legacy', 'success', 'old-ci');
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(opened.pull);
    expect(await onHost('checked')).toBe('checked\n');
  });

  it('asks again, once a run has its servers, whether who asked for it still may', async () => {
    await setPolicy('{}\n');
    const { second } = world.github.accounts;
    const slow = await openOnly('long', {
      'db/long.yaml': configuration('long', { scripts: { long: heldStep('long', 'exit 1') } }),
    });
    const late = await change('late');
    await world.check(slow.sha, 'doaas/plan');
    await world.check(late.sha, 'doaas/plan');
    await world.approve(slow.pull);
    await world.approve(late.pull);
    await world.say(slow.pull, '/doaas apply');
    const applyOf = async (sha: string) =>
      (await world.checks(sha)).find((run) => run.name === 'doaas/apply');
    await until(async () => ((await applyOf(slow.sha)) === undefined ? undefined : true), 'the first run');
    await world.say(late.pull, '/doaas apply', second);
    await until(
      async () => ((await applyOf(late.sha))?.status === 'queued' ? true : undefined),
      'the second run to wait',
    );
    await world.github.setCollaborator(world.repo, second, 'pull');
    try {
      await letGo(world.hosts, 'long');
      const stale = await world.check(late.sha, 'doaas/apply', { conclusion: 'neutral' });
      expect(stale.summary).toMatch(/dora-dba may not apply it any more: .*needs write access/);
      await commentLike(late.pull, /needs write access to this repository/);
      expect(await onHost('late')).toBe('absent\n');
    } finally {
      await world.github.setCollaborator(world.repo, second, 'push');
    }
  });

  it('counts the servers and the packages of a change', async () => {
    await setPolicy(
      'people: {breakGlass: {users: [olivia-owner]}}\nrules: {all: {limits: {hosts: 1, packagesRemoved: 1}}}\n',
    );
    const packages = { 'ca-certificates': { state: 'absent' }, procps: { state: 'absent' } };
    const { pull, sha } = await openOnly('wide', {
      'wide.yaml': configuration('wide', { packages }),
      'deep.yaml': configuration('deep', {
        targets: { labels: { role: 'db' } },
        files: { '/etc/doaas-deep': { content: 'deep\n' } },
      }),
    });
    const check = await waitingFor(
      sha,
      /at most 1 servers changed, but it is 2 \(rule all\); split the change/,
    );
    expect(check.summary).toMatch(/at most 1 packages removed, but it is 3 \(rule all\)/);
    await world.approve(pull);
    await waitingFor(sha, /Waiting for:\*\* at most 1 servers changed/);
    const early = await world.say(pull, '/doaas apply');
    const kept = /Not applied. Missing: at most 1 servers changed, but it is 2/;
    await world.answer(pull, early, kept);
    // a broken glass skips what is waited for only
    const loud = await world.say(pull, '/doaas apply --break-glass it burns', world.github.accounts.admin);
    await world.answer(pull, loud, kept);
    expect(await onHost('deep')).toBe('absent\n');
  });

  it('takes the owners of code from the default branch, not from the pull request', async () => {
    await setPolicy('rules:\n  all: {approvals: [{codeOwners: true}]}\n');
    const { accounts } = world.github;
    await world.github.push(world.repo, 'main', { CODEOWNERS: `* @${accounts.second.login}\n` });
    const own = `* @${accounts.reviewer.login}\n`;
    const { pull, sha } = await change('owned', { CODEOWNERS: own, '.github/CODEOWNERS': own });
    await world.check(sha, 'doaas/plan');
    await world.approve(pull, accounts.reviewer);
    const check = await waitingFor(sha, /does not count here: not one of them/);
    expect(check.summary).toContain(`is owned by @&#8203;${accounts.second.login}`);
    await world.approve(pull, accounts.second);
    await waitingFor(sha, /Waiting for:\*\* nothing/);
  });

  it('merges by rebase what it applied, and reverts all of its commits', async () => {
    await setPolicy('mergeMethod: rebase\nrules:\n  all: {approvals: []}\n');
    const before = await world.github.branchSha(world.repo, 'main');
    const { pull } = await change('rebased');
    const sha = await world.github.push(world.repo, 'rebased', {
      'REBASED.md': 'rebased\n',
      'db/rebased.yaml': configuration('rebased', {
        files: { '/etc/doaas-rebased': { content: 'rebased\n', mode: '0600' } },
      }),
    });
    await waitingFor(sha, /Waiting for:\*\* nothing/);
    await nextSecond();
    await world.say(pull, '/doaas apply');
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
    const tip = await world.github.branchSha(world.repo, 'main');
    const [second, first] = [await parentsOf(tip), await parentsOf((await parentsOf(tip))[0] ?? '')];
    expect([second.length, first]).toEqual([1, [before]]);
    const comment = await world.say(pull, '/doaas rollback');
    const text = await world.answer(pull, comment, /[Pp]ull request #.*reverts it/);
    expect(await onHost('rebased')).toBe('absent\n');
    await world.github.mergeByHand(world.repo, await pullOf(text));
    expect(await world.github.fileAt(world.repo, 'main', 'db/rebased.yaml')).toBeUndefined();
    expect(await world.github.fileAt(world.repo, 'main', 'REBASED.md')).toBeUndefined();
  });

  it('lets a change of labels alone be merged by the engine once it has what is asked', async () => {
    await setPolicy(
      'trigger: approval\nrules: {db: {match: {labels: {role: db}}, approvals: [{teams: [dba]}]}}\n',
    );
    const { pull, sha } = await openOnly('labels', { 'database.yaml': database('spare') });
    await world.check(sha, 'doaas/plan', { conclusion: 'action_required' });
    await world.approve(pull, world.github.accounts.second);
    const applied = await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    expect(applied.title).toMatch(/^Applied 0 changes on 0 servers/);
    await mergedSoon(pull);
    await world.github.push(world.repo, 'main', { 'database.yaml': database() });
  });

  it('cannot be put aside by a pull request that relabels, renames or drops the server', async () => {
    const [today, later] = [0, 5].map((days) => isoDay(Date.now() + days * 86_400_000));
    await setPolicy(`rules:
  all: {approvals: [{count: 1}]}
  databases:
    match: {labels: {role: db}, paths: ["db/**"]}
    approvals: [{teams: [dba]}]
    window: {timeZone: UTC, freeze: [{from: "${today}", to: "${later}"}]}
  dev: {match: {labels: {role: dev}}, approvals: []}
people: {override: {users: [olivia-owner]}}
`);
    const { accounts } = world.github;
    const byDba = /one approving review by a member of dba other than anna-author \(rule databases/;
    for (const [branch, text] of [
      ['rename', database('dev').replace('name: db-1', 'name: other')],
      ['drop', null],
      ['relabel', database('dev')],
    ] as const) {
      const { pull, sha } = await openOnly(branch, { 'database.yaml': text });
      const check = await waitingFor(sha, byDba);
      expect(check).toMatchObject({
        conclusion: 'action_required',
        title: 'Nothing is done on servers; only their own documents change',
      });
      await world.approve(pull, accounts.reviewer);
      await waitingFor(sha, /the one by rob-reviewer does not count here/);
      const early = await world.say(pull, '/doaas apply');
      await world.answer(pull, early, /Not applied. Missing: one approving review by a member of dba/);
    }

    const files = { '/etc/doaas-escape': { content: 'escape\n' } };
    const { pull, sha } = await openOnly('escape', {
      'database.yaml': database('dev'),
      'escape.yaml': configuration('escape', { targets: { labels: { role: 'dev' } }, files }),
    });
    const check = await waitingFor(sha, byDba);
    expect(check.conclusion).toBe('action_required');
    expect(check.summary).toContain('what it was until now, site default role=db');
    await world.approve(pull, accounts.second);
    await waitingFor(sha, /Waiting for:\*\* the change window every day UTC \(rule databases; frozen until/);
    await nextSecond();
    await world.say(pull, '/doaas apply --override it is no database any more', accounts.admin);
    await mergedSoon(pull);
    const written = await world.hosts[1]?.exec('cat /etc/doaas-escape');
    expect(written?.stdout).toBe('escape\n');
  });

  it('takes a merged change back from the branch when nobody wants to wait for its window any more', async () => {
    const [today, later] = [0, 5].map((days) => isoDay(Date.now() + days * 86_400_000));
    const freeze = `{from: "${today}", to: "${later}"}`;
    await setPolicy(`trigger: merge\nrules: {all: {window: {timeZone: UTC, freeze: [${freeze}]}}}\n`);
    const frozen = await change('frozen');
    await world.check(frozen.sha, 'doaas/plan');
    await world.approve(frozen.pull);
    await waitingFor(frozen.sha, /Waiting for:\*\* the change window/);
    await world.github.mergeByHand(world.repo, frozen.pull);
    await commentLike(frozen.pull, /The change window is shut. This is applied by itself when it opens/);
    const cancel = await world.say(frozen.pull, '/doaas cancel');
    const undone = await world.answer(
      frozen.pull,
      cancel,
      /It no longer waits for the change window. Nothing was changed; pull request #.* reverts it/,
    );
    expect(await onHost('frozen')).toBe('absent\n');
    await world.github.mergeByHand(world.repo, await pullOf(undone));
    expect(await world.github.fileAt(world.repo, 'main', 'db/frozen.yaml')).toBeUndefined();
  });

  it('applies what waits for a window as soon as the policy has none any more', async () => {
    const [today, later] = [0, 5].map((days) => isoDay(Date.now() + days * 86_400_000));
    await setPolicy(
      `rules: {all: {window: {timeZone: UTC, freeze: [{from: "${today}", to: "${later}"}]}}}\n`,
    );
    const { pull, sha } = await change('thawed');
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await waitingFor(sha, /Waiting for:\*\* the change window/);
    await world.answer(pull, await world.say(pull, '/doaas apply'), /The change window is shut/);
    await setPolicy('rules: {all: {approvals: [{count: 2}]}}\n');
    await waitingFor(sha, /Waiting for:\*\* 2 approving reviews [^;]*; 1 of 2 is there\)/);
    expect(await onHost('thawed')).toBe('absent\n');
    await world.approve(pull, world.github.accounts.second);
    await mergedSoon(pull);
    expect(await onHost('thawed')).toBe('thawed\n');
  });

  it('asks of what a merge queue merged whether the person may apply who sent it there', async () => {
    await setPolicy('trigger: merge\npeople: {apply: {users: [olivia-owner]}}\n');
    const { reviewer, admin } = world.github.accounts;
    const { pull, sha } = await change('sent');
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.requestMergeGroup(world.repo, pull, admin);
    await world.github.requestMergeGroup(world.repo, pull, reviewer);
    await world.github.mergeByQueue(world.repo, pull);
    const kept = await commentLike(
      pull,
      /Merged, but not applied. Missing: .* keeps `apply` to olivia-owner/,
    );
    expect(await onHost('sent')).toBe('absent\n');
    const revert = await pullOf(kept);
    await setPolicy('trigger: comment\n');
    await world.github.mergeByHand(world.repo, revert);
  });

  it('applies nothing that goes into another branch, however it is approved; once it goes into the default one, all of it is judged', async () => {
    await setPolicy(`people: {breakGlass: {users: [olivia-owner]}}
rules:
  all: {approvals: [{count: 1}]}
  databases: {match: {paths: ["db/**"]}, approvals: [{teams: [dba]}]}
`);
    const { accounts } = world.github;
    const below = await change('below');
    await world.check(below.sha, 'doaas/plan');
    await world.github.push(world.repo, 'below', { 'NEWS.md': 'by rob\n' }, accounts.reviewer);
    const { pull, sha } = await stacked('above', 'below');
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    const shown =
      /goes into \\`below\\`; only what goes into \\`main\\` is applied\. Change its base, or merge \\`below\\` first\. {3}\*\*Then:\*\* it is planned anew, once it goes into \\`main\\`/;
    await waitingFor(sha, shown);
    await commentLike(pull, shown);
    const missing =
      'the pull request goes into `below`; only what goes into `main` is applied. Change its base, or merge `below` first';
    const no = new RegExp(`^Not applied. Missing: ${missing}\\.$`, 'm');
    await world.answer(pull, await world.say(pull, '/doaas apply'), no);
    const loud = await world.say(pull, '/doaas apply --break-glass it burns', accounts.admin);
    await world.answer(pull, loud, no);
    expect(await explain(world, pull)).toContain(missing);
    expect((await world.checks(sha)).map(({ name }) => name)).not.toContain('doaas/apply');

    await world.github.editPull(world.repo, pull, { base: 'main' });
    await waitingFor(sha, /one approving review by a member of dba [^;]*\(rule databases/);
    await world.approve(pull);
    await waitingFor(sha, /the one by rob-reviewer does not count: rob-reviewer pushed to it/);
    await world.approve(pull, accounts.second);
    await waitingFor(sha, /Waiting for:\*\* nothing/);
    await nextSecond();
    await world.say(pull, '/doaas apply');
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
    expect([await onHost('below'), await onHost('above')]).toEqual(['below\n', 'above\n']);
  });

  it('begins nothing when something is merged into another branch, nor applies what was planned for that one', async () => {
    await setPolicy(`trigger: merge
rules:
  all: {approvals: [{count: 1}]}
  databases: {match: {paths: ["db/**"]}, approvals: [{teams: [dba]}]}
`);
    const lower = await change('lower');
    const upper = await stacked('upper', 'lower');
    await world.check(upper.sha, 'doaas/plan', { conclusion: 'action_required' });
    await world.approve(upper.pull);
    await world.github.mergeByHand(world.repo, upper.pull);
    await ended(upper.pull);
    expect(await saidOf(upper)).toEqual([]);

    // merged into the default branch before anybody heard that it goes there now
    const hasty = await stacked('sideways', 'lower');
    await world.check(hasty.sha, 'doaas/plan', { conclusion: 'action_required' });
    await world.approve(hasty.pull);
    const { faults } = world.github.webhooks;
    faults.add({ event: 'pull_request', action: 'edited', times: 1, effect: 'drop' });
    await world.github.editPull(world.repo, hasty.pull, { base: 'main' });
    await world.github.mergeByHand(world.repo, hasty.pull);
    const text = await commentLike(
      hasty.pull,
      /Merged, but not applied. Missing: it was merged before it was planned for that branch[^.]*. Nothing was changed/,
    );
    const below = await commentLike(
      lower.pull,
      /Merged, but not applied. Missing: [^.]*one approving review by a member of dba/,
    );
    closeLater(await pullOf(below));
    expect([await onHost('sideways'), await onHost('lower')]).toEqual(['absent\n', 'absent\n']);
    await world.github.mergeByHand(world.repo, await pullOf(text));
    expect(await world.github.fileAt(world.repo, 'main', 'db/lower.yaml')).toBeUndefined();
  });

  it('takes back what was merged without a plan, where the policy applies after the merge, and says so', async () => {
    await setPolicy('trigger: merge\n');
    // whom nobody answers for
    const server = `apiVersion: doaas/v1
kind: Server
metadata: {name: nobody-1, labels: {role: nobody}}
spec: {address: 10.77.0.250, user: deploy, become: sudo, hostKey: "${hostKeyOf('nobody-1')}"}
`;
    await world.github.push(world.repo, 'main', { 'nobody.yaml': server });
    const written = (contents: object) => ({ files: { '/etc/doaas-x': contents } });
    const there = { targets: { labels: { role: 'nobody' } }, ...written({ content: 'x' }) };
    const mistaken = { 'db/mistaken.yaml': configuration('mistaken', written({ contents: 'x' })) };
    const cases = [
      ['away', { 'db/away.yaml': configuration('away', there) }, 'doaas/plan'],
      ['mistaken', mistaken, 'doaas/validate'],
    ] as const;
    for (const [branch, files, red] of cases) {
      const { pull, sha } = await openOnly(branch, files);
      await world.check(sha, red, { conclusion: 'failure' });
      await world.github.mergeByHand(world.repo, pull);
      const text = await commentLike(
        pull,
        /Merged, but not applied. Missing: a plan that was approved: there is none, and the checks say why. Nothing was changed/,
      );
      await revertQuietly(await pullOf(text), `db/${branch}.yaml`);
    }

    const unseen = await unheard(async () => {
      const opened = await change('unseen');
      await world.github.mergeByHand(world.repo, opened.pull);
      return opened;
    });
    const text = await commentLike(
      unseen.pull,
      /Merged, but not applied. Missing: [^.]* it was merged before it was planned/,
    );
    expect(await onHost('unseen')).toBe('absent\n');
    await revertQuietly(await pullOf(text), 'db/unseen.yaml');

    // nothing of it is for servers
    const words = await openOnly('words', { 'README.md': '# Words\n' });
    await world.check(words.sha, 'doaas/plan', { title: /^Nothing to do/ });
    await world.github.mergeByHand(world.repo, words.pull);
    await ended(words.pull);
    expect(await saidOf(words)).toEqual([]);

    await setPolicy('{}\n');
    const plain = await openOnly('plain', mistaken);
    await world.check(plain.sha, 'doaas/validate', { conclusion: 'failure' });
    await world.github.mergeByHand(world.repo, plain.pull);
    await ended(plain.pull);
    expect(await saidOf(plain)).toEqual([]);
    await world.github.push(world.repo, 'main', { 'db/mistaken.yaml': null, 'nobody.yaml': null });
  });

  it('knows a reviewer who was renamed by the account, and judges what an author left who is gone', async () => {
    const { accounts } = world.github;
    const { pull, sha } = await change('orphan');
    await world.check(sha, 'doaas/plan');
    await world.github.review(world.repo, pull, accounts.second, 'APPROVE');
    const id = await idOf(accounts.second.login);
    await setPolicy(`rules:\n  all: {approvals: [{users: ["somebody#${id}"]}, {count: 2}]}\n`);
    await waitingFor(
      sha,
      /Waiting for:\*\* 2 approving reviews by people with write access [^;]*; 1 of 2 is there\)/,
    );
    await world.github.forgetAuthor(world.repo, pull);
    const renamed = await world.github.renameAccount(accounts.second, 'dora-renamed');
    try {
      const early = await world.say(pull, '/doaas apply', accounts.reviewer);
      await world.answer(pull, early, /2 approving reviews by people with write access other than ghost/);
      await world.approve(pull, accounts.reviewer);
      await waitingFor(sha, /Waiting for:\*\* nothing/);
      await nextSecond();
      await world.say(pull, '/doaas apply', renamed);
      await world.check(sha, 'doaas/apply', { conclusion: 'success' });
      await mergedSoon(pull);
    } finally {
      await world.github.renameAccount(renamed, accounts.second.login);
    }
  });

  it('made the engine send GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });

  /** On the branch of another one, and of a file that is none of a database's. */
  async function stacked(branch: string, base: string) {
    const files = { [`/etc/doaas-${branch}`]: { content: `${branch}\n` } };
    const changes = { [`${branch}.yaml`]: configuration(branch, { files }) };
    const sha = await world.github.branchWithChanges(world.repo, branch, changes, base);
    const pull = await world.github.openPullRequest(world.repo, { branch, base });
    closeLater(pull);
    return { pull, sha };
  }

  function ended(pull: number): Promise<true> {
    const id = `pull-request:${world.repo.owner}/${world.repo.name}#${pull}`.toLowerCase();
    const handle = world.engine.temporal().workflow.getHandle(id);
    const status = async () => (await handle.describe().catch(() => undefined))?.status.name;
    return until(
      async () => ((await status()) === 'COMPLETED' ? true : undefined),
      `the end of #${pull}`,
      30,
    );
  }

  /** Of a merged one, beside its plan: checks of a run, and comments. */
  async function saidOf({ pull, sha }: { readonly pull: number; readonly sha: string }) {
    const checks = (await world.checks(sha)).map(({ name }) => name).filter((name) => name === 'doaas/apply');
    const comments = (await world.github.listComments(world.repo, pull)).map(({ body }) => String(body));
    return [...checks, ...comments.filter((body) => !body.startsWith('<!-- doaas:pull-request -->'))];
  }

  async function revertQuietly(pull: number, path: string): Promise<void> {
    await world.github.mergeByHand(world.repo, pull);
    await ended(pull);
    expect(await saidOf({ pull, sha: await world.github.branchSha(world.repo, 'main') })).toEqual([]);
    expect(await world.github.fileAt(world.repo, 'main', path)).toBeUndefined();
  }

  async function idOf(login: string): Promise<number> {
    const answer = await fetch(`${world.github.url}/users/${login}`);
    return Number(((await answer.json()) as { readonly id: number }).id);
  }
});

/** The second host, which no configuration of web servers is for. */
function databaseYaml(hosts: readonly LabHost[], role: string): string {
  return serverYaml(hosts.slice(1, 2)).replace('web-1', 'db-1').replace('role: web', `role: ${role}`);
}
