import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../lab/hosts.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Which commit counts: forks, pushes while something goes on, and a base that moves. */
describe('a head', { timeout: 3 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    world = await startWorld({ files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const file = (name: string, content = `${name}\n`): Record<string, string> => ({
    [`${name}.yaml`]: configuration(name, { files: { [`/etc/doaas-${name}`]: { content } } }),
  });
  const mergedSoon = (pull: number, sha?: string) => world.mergedSoon(pull, sha);
  const namesOf = async (sha: string) => (await world.checks(sha)).map((check) => check.name);
  const logins = () => on('journalctl -q -o cat _COMM=sshd --grep "Accepted publickey" | wc -l');

  it('of a fork is validated, and no server hears of it', async () => {
    const { stranger, author } = world.github.accounts;
    const fork = await world.github.forkRepository(world.repo, stranger);
    const before = await logins();
    const sha = await world.github.branchWithChanges(fork, 'change', file('fork'), undefined, stranger);
    const pull = await world.github.openPullRequest(
      world.repo,
      { branch: `${stranger.login}:change` },
      stranger,
    );
    const valid = await world.check(sha, 'doaas/validate', { conclusion: 'success' });
    expect(valid.summary).toContain('**Validated only:** this pull request comes from a fork');
    await world.approve(pull);
    for (const command of ['/doaas plan', '/doaas apply']) {
      const comment = await world.say(pull, command, author);
      await world.answer(pull, comment, /This pull request comes from a fork, so it is validated only/);
    }
    const own = await world.say(pull, '/doaas apply', stranger);
    await world.answer(pull, own, /needs write access to this repository, which you do not have/);

    const next = await world.github.push(
      fork,
      'change',
      { 'fork.yaml': configuration('fork', { fils: {} }) },
      stranger,
    );
    const invalid = await world.check(next, 'doaas/validate', { conclusion: 'failure' });
    expect(invalid.title).toMatch(/^fork\.yaml: /);
    expect([await namesOf(sha), await namesOf(next)]).toEqual([['doaas/validate'], ['doaas/validate']]);
    expect(await logins()).toBe(before);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('that is pushed while an older one is planned wins', async () => {
    await host.cut();
    const { pull, sha } = await world.open('newest', file('newest', 'older\n'));
    let next: string;
    try {
      await until(
        async () =>
          (await world.checks(sha)).find((run) => run.name === 'doaas/plan' && run.status === 'in_progress'),
        'the planning to begin',
      );
      next = await world.github.push(world.repo, 'newest', file('newest', 'newer\n'));
      await world.check(next, 'doaas/validate', { conclusion: 'success' });
    } finally {
      await host.heal();
    }
    await world.say(pull, '/doaas plan');
    await world.check(next, 'doaas/plan', { conclusion: 'success' });
    const overtaken = await world.check(sha, 'doaas/plan', { conclusion: 'cancelled' });
    expect(overtaken.title).toBe('Not planned: a newer commit was pushed meanwhile');
    const newest = await until(async () => {
      const text = await world.comment(pull);
      return text.includes('+newer') ? text : undefined;
    }, 'the comment to show the newest head');
    expect(newest).toContain(`head ${next.slice(0, 8)}`);
    expect(newest).not.toContain('+older');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await mergedSoon(pull, next);
    expect(await on('cat /etc/doaas-newest')).toBe('newer');
    expect(await namesOf(sha)).not.toContain('doaas/apply');
  });

  it('loses its approval when the base moves so that something else would be done', async () => {
    const { pull, sha } = await world.open('approved', file('approved'));
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.title).toMatch(/^1 change on 1 server/);
    await world.approve(pull);
    await until(
      async () => ((await world.comment(pull)).includes('**Waiting for:** nothing.') ? true : undefined),
      'the approval to count',
    );
    await world.github.push(world.repo, 'main', file('around'), world.github.accounts.admin);
    await world.check(sha, 'doaas/plan', { conclusion: 'success', title: /^2 changes on 1 server/ });
    // a plan that took the place of another one counts from the next second on
    const shown = Math.floor(Date.now() / 1000);
    await until(async () => (Date.now() / 1000 > shown + 2 ? true : undefined), 'a later second');
    const asked = await world.say(pull, '/doaas apply');
    await world.answer(pull, asked, /does not count: the plan has changed since/);
    expect(await on('ls /etc/doaas-approved /etc/doaas-around 2>/dev/null')).toBe('');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await mergedSoon(pull, sha);
    expect(await on('cat /etc/doaas-approved /etc/doaas-around')).toBe('approved\naround');
  });

  it('whose base moves while it is applied is merged, and the difference is said', async () => {
    const { pull, sha } = await world.open('moved', {
      'moved.yaml': configuration('moved', {
        scripts: {
          moved: {
            check: 'test -e /var/tmp/moved.done',
            apply:
              'touch /var/tmp/moved.begun; until [ -e /var/tmp/moved.go ]; do sleep 0.1; done; touch /var/tmp/moved.done',
            undo: 'rm -f /var/tmp/moved.*',
          },
        },
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await until(
      async () => ((await on('ls /var/tmp/moved.begun 2>/dev/null')) === '' ? undefined : true),
      'the effect to begin',
    );
    await world.github.push(world.repo, 'main', file('besides'), world.github.accounts.admin);
    await on('touch /var/tmp/moved.go');
    await mergedSoon(pull, sha);
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'neutral' });
    expect(apply.title).toMatch(/; merged as [0-9a-f]{8}, but the merged tree is not the planned one$/);
    expect(apply.summary).toContain('what came with the other commits was not applied by this run');
    await until(
      async () =>
        (await world.comment(pull)).includes('**The merged tree is not the planned one:**')
          ? true
          : undefined,
      'the comment to say so',
    );
    expect(await on('ls /etc/doaas-besides 2>/dev/null')).toBe('');
  });
});
