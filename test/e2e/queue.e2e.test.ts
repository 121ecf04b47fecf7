import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../lab/hosts.ts';
import { endDeploymentOf } from '../endDeployment.ts';
import { isMany } from '../many.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Two pull requests on one server, waves over servers, and what reaches the engine twice or late. */
describe('two pull requests', { timeout: 3 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    world = await startWorld({ hosts: 2, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  /** Its run lasts as long as a file on the server says. */
  const slow = (name: string): string =>
    configuration(name, {
      targets: { hosts: ['web-1'] },
      files: { [`/etc/doaas-${name}`]: { content: `${name}\n` } },
      scripts: {
        [name]: {
          check: `test -e /var/tmp/${name}.done`,
          apply: `date +%s%N > /var/tmp/${name}.begin; while test -e /var/tmp/${name}.hold; do sleep 0.1; done; date +%s%N > /var/tmp/${name}.done`,
          undo: `rm -f /var/tmp/${name}.done /var/tmp/${name}.begin`,
        },
      },
    });
  const approved = async (name: string, files: Readonly<Record<string, string>>) => {
    const { pull, sha } = await world.open(name, files);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    return { pull, sha };
  };
  const mergedSoon = (pull: number, sha?: string) => world.mergedSoon(pull, sha);
  const waits = (sha: string) =>
    until(
      async () =>
        (await world.checks(sha)).find(
          (run) => run.name === 'doaas/apply' && run.title.startsWith('Waiting'),
        ),
      'the run to wait',
      30,
    );

  it('on one server never run at once; the second says whom it waits for, and goes on', async () => {
    await on('touch /var/tmp/first.hold');
    const first = await approved('first', { 'first.yaml': slow('first') });
    await until(
      async () => ((await on('[ -e /var/tmp/first.begin ] && echo yes')) === 'yes' ? true : undefined),
      'the first to run',
    );
    const second = await approved('second', { 'second.yaml': slow('second') });
    const waiting = await waits(second.sha);
    const again = await world.say(first.pull, '/doaas apply');
    // of many engines one dies in the middle of it, and comes back: what it did is the others' work
    if (isMany()) await world.engine.kill();
    await world.answer(first.pull, again, /is already applying this pull request/);
    if (isMany()) await world.engine.start();
    await on('rm /var/tmp/first.hold');
    expect(waiting.title).toBe(`Waiting for ${world.repo.owner}/${world.repo.name}#${first.pull}`);
    await mergedSoon(first.pull);
    await mergedSoon(second.pull, second.sha);
    const [firstDone = 0, secondBegin = 0] = (await on('cat /var/tmp/first.done /var/tmp/second.begin'))
      .split('\n')
      .map(Number);
    expect(secondBegin).toBeGreaterThan(firstDone);
    expect(await on('cat /etc/doaas-first /etc/doaas-second')).toBe('first\nsecond');
  });

  it('of which one dies while it waits: the next goes on, and the check of the dead one says so', async () => {
    await on('touch /var/tmp/holder.hold');
    const holder = await approved('holder', { 'holder.yaml': slow('holder') });
    await until(
      async () => ((await on('[ -e /var/tmp/holder.begin ] && echo yes')) === 'yes' ? true : undefined),
      'the holder to run',
    );
    const dying = await approved('dying', { 'dying.yaml': slow('dying') });
    await waits(dying.sha);
    const next = await approved('next', { 'next.yaml': slow('next') });
    await waits(next.sha);
    await endDeploymentOf(world.engine.temporal(), dying.pull);
    await on('rm /var/tmp/holder.hold');
    await mergedSoon(holder.pull);
    await mergedSoon(next.pull, next.sha);
    const dead = await world.check(dying.sha, 'doaas/apply');
    expect(dead.summary).toMatch(/its workflow was ended while it waited for servers/);
    expect(await on('ls /etc/doaas-dying 2>/dev/null; cat /etc/doaas-next')).toBe('next');
    // it can be asked for again
    await world.say(dying.pull, '/doaas apply');
    await mergedSoon(dying.pull);
  });

  it('finishes one wave on all servers before it begins the next', async () => {
    const stamp = (name: string, label: string) => ({
      apiVersion: 'doaas/v1',
      kind: 'Configuration',
      metadata: { name },
      spec: {
        targets: { hosts: [label] },
        scripts: {
          [name]: {
            check: `test -e /var/tmp/${name}`,
            apply: `sleep 1; date +%s%N > /var/tmp/${name}`,
            undo: `rm -f /var/tmp/${name}`,
          },
        },
      },
    });
    const { pull } = await approved('waves', {
      'waves.yaml': `${JSON.stringify(stamp('database', 'web-2'))}\n---\n${JSON.stringify({ ...stamp('application', 'web-1'), dependsOn: ['Configuration/database'] })}\n`,
    });
    await mergedSoon(pull);
    const database = Number((await world.hosts[1]?.exec('cat /var/tmp/database'))?.stdout);
    expect(Number(await on('cat /var/tmp/application'))).toBeGreaterThan(database);
  });

  it('duplicated and late webhooks do nothing twice', async () => {
    world.github.webhooks.faults.add({ event: 'pull_request', times: 1, effect: 'after-next' });
    world.github.webhooks.faults.add({ event: 'issue_comment', times: 2, effect: 'duplicate' });
    world.github.webhooks.faults.add({ event: 'pull_request_review', times: 1, effect: 'duplicate' });
    const { pull, sha } = await approved('twice', { 'twice.yaml': slow('twice') });
    await mergedSoon(pull);
    await world.github.webhooks.settled();
    for (const delivery of world.github.webhooks.all().slice(-6))
      await world.github.webhooks.redeliver(delivery.guid);
    await world.github.webhooks.settled();
    expect((await world.checks(sha)).filter((run) => run.name === 'doaas/apply')).toHaveLength(1);
    const own = (await world.github.listComments(world.repo, pull)).filter((c) =>
      String(c.body).startsWith('<!-- doaas:'),
    );
    expect(own).toHaveLength(1);
    expect(await on('ls /var/lib/doaas/runs | grep -c "^pr"')).toBe('7');
  });

  it('a server that leaves the repository is said to stay as it is', async () => {
    const { sha } = await world.open('drop', {
      'servers.yaml': serverYaml(world.hosts.slice(0, 1)),
      'waves.yaml': null,
    });
    const plan = await world.check(sha, 'doaas/plan');
    expect(plan.summary).toContain('leaves the repository: it stays as it is and is no longer managed');
  });
});
