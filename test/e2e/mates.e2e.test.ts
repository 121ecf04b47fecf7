import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyShows } from '../applyShows.ts';
import { driftVerbs } from '../driftVerbs.ts';
import { endDeploymentOf } from '../endDeployment.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const rollout = { spread: 'cluster' };

/** One of a cluster is down or being changed, and nothing is planned for it: the other one has to serve. */
describe('a server beside one of its group', { timeout: 6 * MINUTES }, () => {
  let world: World;
  const { look, firstLook, issue } = driftVerbs(() => world, 60);
  beforeAll(async () => {
    world = await startWorld({
      hosts: 2,
      files: (hosts) => ({
        'servers.yaml': serverYaml(hosts).replaceAll('role: web', 'role: web, cluster: db'),
      }),
    });
    const { pull, sha } = await world.open('db', {
      'db.yaml': configuration('db', {
        drift: { action: 'correct' },
        files: { '/etc/motd': { content: 'welcome\n' } },
        rollout,
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull, sha);
    await firstLook();
    await world.hosts[1]?.kill();
  }, 4 * MINUTES);
  afterAll(() => world?.close());

  const onFirst = async (script: string): Promise<string> =>
    (await world.hosts[0]?.exec(script))?.stdout ?? '';

  const on = async (n: number, script: string): Promise<string> =>
    ((await world.hosts[n - 1]?.exec(script))?.stdout ?? '').trim();
  const files = (name: string, host: string, more: object = {}) => {
    const scripts = {
      [name]: {
        check: `test -e /var/tmp/${name}.done`,
        apply: `date +%s%N > /var/tmp/${name}.begin; while test -e /var/tmp/${name}.hold; do sleep 0.1; done; date +%s%N > /var/tmp/${name}.done`,
        undo: `rm -f /var/tmp/${name}.done /var/tmp/${name}.begin`,
      },
    };
    const spec = { targets: { hosts: [host] }, scripts, rollout: { ...rollout, ...more } };
    return { [`${name}.yaml`]: configuration(name, spec) };
  };
  const approved = async (name: string, host: string) => {
    const { pull, sha } = await world.open(name, files(name, host));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    return { pull, sha };
  };
  const begun = (name: string) =>
    until(
      async () => ((await on(1, `ls /var/tmp/${name}.begin`)) === '' ? undefined : true),
      `the run of ${name} to begin`,
    );

  it('is not changed by itself', async () => {
    await onFirst('echo by hand > /etc/motd');
    await look();
    const { body } = await issue('open', /Configuration\/db/);
    expect(String(body)).toContain('web-2, which it stands in for, could not be read');
    expect(await onFirst('cat /etc/motd')).toBe('by hand\n');
  });

  it('is not changed for a pull request', async () => {
    const { pull, sha } = await world.open('one', {
      'one.yaml': configuration('one', {
        targets: { hosts: ['web-1'] },
        files: { '/etc/one': { content: 'one\n' } },
        rollout,
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const end = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 120 });
    expect(end.summary).toContain(
      'web-2, which it stands in for, failed, cannot be reached or needs recovery',
    );
    expect(await onFirst('ls /etc')).not.toMatch(/^one$/m);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('is once that one is back', async () => {
    await world.hosts[1]?.start();
    await look();
    await issue('closed', /Configuration\/db/);
    expect(await onFirst('cat /etc/motd')).toBe('welcome\n');
  });

  it('nor are two changed at once by two pull requests, each on one of them', async () => {
    await on(1, 'touch /var/tmp/left.hold');
    const left = await approved('left', 'web-1');
    await begun('left');
    const right = await approved('right', 'web-2');
    const waiting = await applyShows(world, right.sha, /^Waiting/, 30);
    await on(1, 'rm /var/tmp/left.hold');
    expect(waiting.title).toBe(`Waiting for ${world.repo.owner}/${world.repo.name}#${left.pull}`);
    await world.mergedSoon(left.pull, left.sha);
    await world.mergedSoon(right.pull, right.sha);
    const [done, begin] = [await on(1, 'cat /var/tmp/left.done'), await on(2, 'cat /var/tmp/right.begin')];
    expect(Number(begin)).toBeGreaterThan(Number(done));
  });

  it('nor is one that a run left for recovery, until the next run there has undone it', async () => {
    await on(1, 'touch /var/tmp/dying.hold');
    const dying = await approved('dying', 'web-1');
    await begun('dying');
    await endDeploymentOf(world.engine.temporal(), dying.pull);
    const blocked = await approved('blocked', 'web-2');
    const end = await world.check(blocked.sha, 'doaas/apply', { conclusion: 'failure', seconds: 90 });
    expect(end.summary).toContain(
      'web-1, which it stands in for, failed, cannot be reached or needs recovery',
    );
    expect(await on(2, 'ls /var/tmp/blocked.begin 2>/dev/null; echo none')).toBe('none');
    await world.github.closePullRequest(world.repo, blocked.pull);
    await world.github.closePullRequest(world.repo, dying.pull);
    await on(1, 'rm /var/tmp/dying.hold');

    const next = await approved('next', 'web-1');
    await world.mergedSoon(next.pull, next.sha);
    expect(await on(1, 'ls /var/tmp/dying.begin 2>/dev/null; echo none')).toBe('none');
    const after = await approved('after', 'web-2');
    await world.mergedSoon(after.pull, after.sha);
  });

  it('a run that dies before it has begun anything keeps nobody from going on', async () => {
    const { pull, sha } = await world.open('idle', files('idle', 'web-1', { unreachable: 'wait' }));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.hosts[0]?.kill();
    await world.say(pull, '/doaas apply');
    await applyShows(world, sha, /waiting until web-1 can be reached/, 60);
    await endDeploymentOf(world.engine.temporal(), pull);
    await world.hosts[0]?.start();
    const other = await approved('other', 'web-2');
    await world.mergedSoon(other.pull, other.sha);
  });
});
