import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../engine/store/store.ts';
import type { Account } from '../../lab/github/accounts.ts';
import { HEAD } from '../policies.ts';
import { press as pressOn } from '../press.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Who may do what by the policy of the default branch, on two real hosts. */
describe('people', { timeout: 6 * MINUTES }, () => {
  let world: World;
  const open: number[] = [];
  beforeAll(async () => {
    world = await startWorld({ hosts: 2, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
    await world.github.createTeam('ops', [world.github.accounts.second]);
  }, 3 * MINUTES);
  afterEach(async () => {
    for (const pull of open.splice(0))
      if (!(await world.merged(pull))) await world.github.closePullRequest(world.repo, pull);
  });
  afterAll(() => world?.close());

  const setPolicy = (spec: string): Promise<string> =>
    world.github.push(world.repo, 'main', { '.doaas/policy.yaml': HEAD + spec.replace(/^/gm, '  ') });
  /** A change of both hosts, approved. */
  const approved = async (branch: string, more: object = {}) => {
    const files = { [`/etc/doaas-${branch}`]: { content: `${branch}\n` } };
    const opened = await world.open(branch, {
      [`${branch}.yaml`]: configuration(branch, { files, ...more }),
    });
    open.push(opened.pull);
    await world.check(opened.sha, 'doaas/plan');
    await world.approve(opened.pull);
    return opened;
  };
  const planSays = (sha: string, text: RegExp) =>
    until(
      async () =>
        (await world.checks(sha)).find((run) => run.name === 'doaas/plan' && text.test(run.summary)),
      `the plan check to say ${text}`,
      30,
      async () => JSON.stringify(await world.checks(sha)),
    );
  const comments = async (pull: number) =>
    (await world.github.listComments(world.repo, pull)).map((comment) => ({
      id: Number(comment.id),
      body: String(comment.body),
    }));
  const commentLike = (pull: number, text: RegExp, not = 0) =>
    until(
      async () => (await comments(pull)).find(({ id, body }) => id !== not && text.test(body)),
      `a comment like ${text}`,
      40,
      async () => JSON.stringify(await comments(pull)),
    );
  const onHosts = async (branch: string) =>
    Promise.all(
      world.hosts.map(async (host) => {
        const { stdout } = await host.exec(`cat /etc/doaas-${branch} 2>/dev/null || echo absent`);
        return stdout.trim();
      }),
    );
  const press = (...what: [string, string, string, Account]) => pressOn(world, ...what);
  const audit = (pull: number) =>
    inStore((store) => store.audit.list({ repository: `${world.repo.owner}/${world.repo.name}`, pull }));
  const metrics = async () => (await fetch(`${world.engine.url()}/metrics`)).text();

  it('named by the policy override a limit; that stays on the pull request, whoever deletes or edits it', async () => {
    const { author, reviewer, second } = world.github.accounts;
    await setPolicy(`people:
  override: {teams: [ops]}
rules:
  all: {limits: {hosts: 1}}
`);
    const { pull, sha } = await approved('limit');
    await planSays(
      sha,
      /at most 1 servers changed, but it is 2 \(rule all\); split the change, or a member of ops overrides it/,
    );
    await nextSecond();
    const bare = await world.say(pull, '/doaas apply', second);
    await world.answer(pull, bare, /Not applied. Missing: at most 1 servers changed/);
    const outside = await world.say(pull, '/doaas apply --override I want it', author);
    await world.answer(pull, outside, /keeps `apply --override` to a member of ops/);
    expect(await onHosts('limit')).toEqual(['absent', 'absent']);

    await world.say(pull, '/doaas apply --override both at once, fixes #1 @everyone', second);
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await world.mergedSoon(pull, sha);
    expect(await onHosts('limit')).toEqual(['limit', 'limit']);
    const note = '**The policy was overridden by dora-dba:** both at once, fixes #&#8203;1 @&#8203;everyone';
    expect(apply.summary).toContain(note);
    await commentLike(pull, /doaas:pull-request.*The policy was overridden by dora-dba.*Merged as/s);
    expect(await world.comment(pull)).toContain(note);
    const message = await messageOf(await world.github.branchSha(world.repo, 'main'));
    expect(message).toContain(
      'The policy was overridden by dora-dba: both at once, fixes #\u200b1 @\u200beveryone',
    );
    const told = await commentLike(pull, /### The policy was overridden by dora-dba/);
    expect(told.body).toContain('at most 1 servers changed, but it is 2');

    await world.github.deleteComment(world.repo, told.id, author);
    const again = await commentLike(pull, /### The policy was overridden by dora-dba/, told.id);
    expect(again.body).toBe(told.body);
    // it is the edited comment itself that is mended, for it bears the engine's name
    const saysAgain = async (edited: string, by: Account) => {
      await world.github.editComment(world.repo, again.id, edited, by);
      await until(
        async () => {
          const there = (await comments(pull)).find(({ id }) => id === again.id);
          return there?.body === told.body ? true : undefined;
        },
        'the comment to say again what it said',
        30,
        async () => JSON.stringify(await comments(pull)),
      );
    };
    await saysAgain(told.body.replaceAll('dora-dba', 'anna-author'), author);
    await saysAgain('Nobody has overridden anything.', reviewer);
    const headings = (await comments(pull)).filter(({ body }) => /^### The policy was/m.test(body));
    expect(headings.map(({ id }) => id)).toEqual([again.id]);
    const entries = await until(
      async () => {
        const found = await audit(pull);
        return found.filter(({ what }) => what === 'hide-override').length === 3 ? found : undefined;
      },
      'the entries of who deleted and edited it',
      20,
      async () => JSON.stringify(await audit(pull)),
    );
    expect(entries.filter(({ what }) => what === 'override')).toMatchObject([
      {
        who: 'dora-dba',
        headSha: sha,
        detail: { reason: 'both at once, fixes #1 @everyone', lifted: { length: 1 } },
      },
    ]);
    const hidden = entries.filter(({ what }) => what === 'hide-override').toSorted((a, b) => a.seq - b.seq);
    expect(hidden).toMatchObject([
      { who: 'anna-author', headSha: sha, detail: { change: expect.stringMatching(`^deleted ${told.id}`) } },
      { who: 'anna-author', headSha: sha, detail: { change: expect.stringMatching(`^edited ${again.id}`) } },
      { who: 'rob-reviewer', headSha: sha, detail: { change: expect.stringMatching(`^edited ${again.id}`) } },
    ]);
    expect(await metrics()).toMatch(/^doaas_overrides_total\{kind="override"\} 1$/m);
  });

  it('who approved are told what they have not approved, when a server changed since the plan', async () => {
    await setPolicy('{}\n');
    const { pull, sha } = await approved('moved');
    await planSays(sha, /Waiting for:\*\* nothing/);
    await nextSecond();
    await world.hosts[1]?.exec('echo by hand >/etc/doaas-moved');
    const comment = await world.say(pull, '/doaas apply');
    const stale = await world.check(sha, 'doaas/apply', { conclusion: 'neutral' });
    const told =
      /the state of web-2 has changed since the plan\. Not approved so: web-2: doaas-moved [^;]*\(changed\)\. Nothing was changed/;
    expect(stale.summary).toMatch(told);
    await world.answer(pull, comment, told);
    expect(await onHosts('moved')).toEqual(['absent', 'by hand']);
    await world.hosts[1]?.exec('rm /etc/doaas-moved');
  });

  it('outside of the teams that the policy names do nothing, by comment or button; those inside do', async () => {
    const { author, second } = world.github.accounts;
    const capabilities = ['apply', 'cancel', 'rollback', 'unlock'];
    await setPolicy(`people:\n${capabilities.map((each) => `  ${each}: {teams: [ops]}\n`).join('')}`);
    const refused = async (pull: number, command: string) => {
      const comment = await world.say(pull, `/doaas ${command}`, author);
      const word = command.split(' ')[0];
      await world.answer(pull, comment, new RegExp(`keeps \`${word}\` to a member of ops. Nothing was done`));
    };
    /** A button has no comment to answer to. */
    const refusedPress = async (pull: number, sha: string, name: string, button: string) => {
      const before = (await audit(pull)).length;
      await press(sha, name, button, author);
      await until(
        async () =>
          (await audit(pull))
            .slice(before)
            .find(({ what, who }) => what === `refused-${button}` && who === 'anna-author'),
        `the press of ${button} to be refused`,
        30,
      );
      await commentLike(
        pull,
        new RegExp(`doaas:button-${button}-.*keeps \`${button}\` to a member of ops`, 's'),
      );
    };

    const slow = await approved('slow', { rollout: { canary: 1, pause: '10m' } });
    await planSays(slow.sha, /Waiting for:\*\* nothing/);
    await refused(slow.pull, 'apply');
    await refusedPress(slow.pull, slow.sha, 'doaas/plan', 'apply');
    expect(await onHosts('slow')).toEqual(['absent', 'absent']);
    await press(slow.sha, 'doaas/plan', 'apply', second);
    await until(async () => ((await onHosts('slow')).includes('slow') ? true : undefined), 'the canary', 40);
    await refused(slow.pull, 'cancel');
    await refused(slow.pull, 'cancel keep');
    await refused(slow.pull, 'rollback');
    await refusedPress(slow.pull, slow.sha, 'doaas/apply', 'rollback');
    expect((await onHosts('slow')).filter((text) => text === 'slow')).toHaveLength(1);
    await world.say(slow.pull, '/doaas cancel keep', second);
    await world.check(slow.sha, 'doaas/apply', { conclusion: 'failure', title: /^Kept as it is/ });
    await refused(slow.pull, 'unlock');
    const unlock = await world.say(slow.pull, '/doaas unlock', second);
    await world.answer(slow.pull, unlock, /is free now|are free now/);

    const quick = await approved('quick');
    await planSays(quick.sha, /Waiting for:\*\* nothing/);
    await nextSecond();
    await world.say(quick.pull, '/doaas apply', second);
    await world.check(quick.sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
    await refusedPress(quick.pull, quick.sha, 'doaas/apply', 'rollback');
    expect(await onHosts('quick')).toEqual(['quick', 'quick']);
    await press(quick.sha, 'doaas/apply', 'rollback', second);
    await commentLike(quick.pull, /doaas:button-rollback-.*[Pp]ull request #(?:&#8203;)?\d+/s);
    expect(await onHosts('quick')).toEqual(['absent', 'absent']);
  });

  it('made the engine send GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });

  async function inStore<T>(use: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>): Promise<T> {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }

  async function messageOf(sha: string): Promise<string> {
    const { owner, name } = world.repo;
    const answer = await fetch(`${world.github.url}/repos/${owner}/${name}/git/commits/${sha}`, {
      headers: { authorization: `token ${world.github.accounts.admin.token}` },
    });
    return ((await answer.json()) as { readonly message: string }).message;
  }
});

/** GitHub's times have whole seconds: a comment of the second of a plan may have meant the one before it. */
function nextSecond(): Promise<true> {
  const second = Math.floor(Date.now() / 1000);
  return until(async () => (Math.floor(Date.now() / 1000) > second ? true : undefined), 'the next second', 5);
}
