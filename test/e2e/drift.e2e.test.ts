import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftScheduleId } from '../../engine/activities/clock.ts';
import { TASK_QUEUE } from '../../engine/activities/signalPull.ts';
import { driftVerbs } from '../driftVerbs.ts';
import { databaseOf, filesBelow, placesOf } from '../secrets/search.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const APP = '[Service]\nExecStart=/bin/sleep infinity\n';

/** An argument of a command that has nothing to do with what drifted. */
const CANARY = 'canary-argument-4d1f';

/** What the engine finds by the clock; the clock is wound by hand here, through Temporal's own schedules. */
describe('by the clock', { timeout: 5 * MINUTES }, () => {
  let world: World;
  const { trigger, look, firstLook } = driftVerbs(() => world, 30);
  beforeAll(async () => {
    world = await startWorld({ hosts: 2, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
  });
  afterAll(() => world?.close());

  const issue = (wanted: { state: string; text?: string }, seconds = 30) =>
    until(
      async () =>
        (await world.github.listIssues(world.repo)).find(
          (each) => each.state === wanted.state && String(each.body).includes(wanted.text ?? ''),
        ),
      `an issue that is ${wanted.state}`,
      seconds,
      async () => JSON.stringify(await world.github.listIssues(world.repo)),
    );

  async function applyMotd(): Promise<void> {
    const { pull, sha } = await world.open('motd', {
      'server.yaml': configuration('server', {
        targets: { hosts: ['web-2'] },
        packages: { tree: {}, ed: {} },
        units: { 'app.service': { content: APP, running: true } },
      }),
      'web.yaml': configuration('web', {
        files: { '/etc/motd': { content: 'welcome\n' }, '/etc/issue': { content: 'lab\n' } },
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge');
  }

  it('a change made by hand becomes one issue, which follows it and is closed with it', async () => {
    await applyMotd();
    await firstLook();
    const [first, other] = world.hosts;
    if (first === undefined || other === undefined) throw new Error('two hosts are needed');
    await first.exec(`runuser -u deploy -- sudo -n /bin/true -p${CANARY}`);
    await first.exec(`runuser -u deploy -- sh -c 'echo "by hand | @all" | sudo -n tee /etc/motd'`);
    await look();
    const found = await issue({ state: 'open', text: '| web-1 | motd +1 -1 |' });
    expect(found.title).toBe('Drift: Configuration/web on web-1');
    expect(String(found.body)).toMatch(/deploy ran with sudo as root at .* UTC: tee \/etc\/motd/);
    expect(String(found.body)).toMatch(/deploy ran with sudo as root at .* UTC: true …/);
    expect(String(found.body)).toContain('-by hand | @all\n+welcome');

    await other.exec('echo other > /etc/issue');
    await look();
    const grown = await issue({ state: 'open', text: '| web-2 | issue' });
    expect(grown).toMatchObject({
      number: found.number,
      title: 'Drift: Configuration/web on web-1 and web-2',
    });
    const since = /\| web-1 \| motd \+1 -1 \| ([^|]*) \|/;
    expect(since.exec(String(grown.body))?.[1]).toBe(since.exec(String(found.body))?.[1]);

    await first.exec('echo welcome > /etc/motd');
    await other.exec('echo lab > /etc/issue');
    await look();
    const closed = await issue({ state: 'closed' });
    expect(closed.number).toBe(found.number);
    const said = (await world.github.listComments(world.repo, Number(found.number))).map((c) => c.body);
    expect(said).toEqual(['<!-- doaas:closed -->\nThe servers are as the default branch says again.']);
    expect(await world.github.listIssues(world.repo)).toHaveLength(1);
  });

  it('a default branch that is not valid is told by the age of its last reading, until it is read again', async () => {
    const age = async () => {
      const metrics = await (await fetch(`${world.engine.url()}/metrics`)).text();
      return Number(/^doaas_drift_age_seconds (\S+)$/m.exec(metrics)?.[1]) * 1000;
    };
    const repository = { ...world.repo, installationId: world.github.installationId };
    const read = (name: string) => {
      const workflowId = `drift-${name}-of-a-test`;
      const { workflow } = world.engine.temporal();
      return workflow.execute('drift', { workflowId, taskQueue: TASK_QUEUE, args: [repository] });
    };
    await read('valid');
    const before = Date.now();
    await world.github.push(world.repo, 'main', { 'wrong.yaml': 'apiVersion: doaas/v1\nkind: Wrong\n' });
    await expect(read('invalid')).rejects.toThrow();
    const pushed = Date.now();
    expect(await age()).toBeGreaterThanOrEqual(pushed - before);
    await world.github.push(world.repo, 'main', { 'wrong.yaml': null });
    const mended = Date.now();
    await read('mended');
    expect(await age()).toBeLessThanOrEqual(Date.now() - mended);
  });

  it('each repository is read every hour, at a time of its own and not to the second', async () => {
    const other = await world.github.createRepository({ files: { 'README.md': 'x\n' } });
    await trigger('sweep');
    const specOf = async (repo: World['repo']) => {
      const handle = world.engine.temporal().schedule.getHandle(driftScheduleId(repo));
      return (await handle.describe()).spec;
    };
    const found = () => specOf(other).catch(() => undefined);
    const specs = [await specOf(world.repo), await until(found, 'a drift schedule of another repository')];
    const every = 60 * 60_000;
    for (const { intervals, jitter } of specs) {
      expect(intervals).toMatchObject([{ every }]);
      expect(jitter).toBe(every / 10);
    }
    const [one = 0, two = 0] = specs.map(({ intervals }) => Number(intervals?.[0]?.offset));
    expect(one).not.toBe(two);
    expect(Math.max(one, two)).toBeLessThan(every);
  });

  it('what a server that is out of reach was known for stays', async () => {
    const [first] = world.hosts;
    await first?.exec('echo again > /etc/motd');
    await look();
    const open = await issue({ state: 'open', text: 'motd' });
    await first?.cut();
    try {
      await world.hosts[1]?.exec('echo other > /etc/issue');
      await look();
      // a connection that is cut is noticed after 30 s, and a new one given up after 10 s
      const both = await issue({ state: 'open', text: '| web-2 | issue' }, 90);
      expect(both.number).toBe(open.number);
      expect(String(both.body)).toContain('| web-1 | motd');
      const metrics = await (await fetch(`${world.engine.url()}/metrics`)).text();
      expect(metrics).toMatch(/^doaas_drift_hosts_unread 1$/m);
    } finally {
      await first?.heal();
    }
  });

  it('a pull request and a comment whose webhooks never came are found', async () => {
    world.github.setWebhookUrl('http://127.0.0.1:9/webhooks/github');
    const { pull, sha } = await world.open('missed', {
      'web.yaml': configuration('web', { files: { '/etc/motd': { content: 'missed\n' } } }),
    });
    const comment = await world.say(pull, '/doaas help');
    expect(await world.checks(sha)).toEqual([]);
    // it is found although the list of deliveries cannot be read this time
    const path = /^\/app\/hook\/deliveries/;
    world.github.faults.add({ method: 'GET', path, times: 1, respond: { status: 422 } });
    world.github.setWebhookUrl(`${world.engine.url()}/webhooks/github`);
    await trigger('sweep');
    await world.check(sha, 'doaas/validate', { conclusion: 'success' });
    // a delivery counts as missed only when it is old enough to be surely over
    const winding = setInterval(() => void trigger('sweep'), 3_000);
    try {
      await world.answer(pull, comment, /plans again, on fresh facts/);
    } finally {
      clearInterval(winding);
    }
  });

  it('who removed a package or stopped a service is told, and that the engine installed it is not', async () => {
    const other = world.hosts[1];
    await other?.exec('runuser -u deploy -- sudo -n apt-get -qq -y remove tree');
    await other?.exec('runuser -u deploy -- sudo -n systemctl stop app; dpkg -r ed');
    await look();
    const { body } = await issue({ state: 'open', text: 'app.service' });
    expect(String(body)).toMatch(/deploy \(\d+\) ran at [^|]*: apt-get … tree/);
    expect(String(body)).toMatch(
      /app\.service[^|]*\|[^|]*\| deploy ran with sudo as root at [^|]*: systemctl … app/,
    );
    // the last run of apt that names it is the engine's
    expect(String(body)).not.toMatch(/apt-get … ed/);
  });

  it('what other commands were given stands nowhere', async () => {
    const issues = Buffer.from(JSON.stringify(await world.github.listIssues(world.repo)));
    const kept = [...databaseOf(world.engine.store), ...(await filesBelow(world.dataDir))];
    const written = [{ where: 'issues', bytes: issues }, ...kept];
    expect(placesOf(['deploy ran with sudo'], written).join()).toMatch(/issues: .*(store\.sqlite|database)/);
    expect(placesOf([CANARY], written)).toEqual([]);
  });

  it('sent GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});
