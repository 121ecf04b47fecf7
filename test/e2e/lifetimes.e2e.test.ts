import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../engine/store/store.ts';
import { compareTrees, describeDifferences, snapshotTree } from '../../lab/compare.ts';
import { heldStep, letGo, stepBegun, toldToStop, untilGo } from '../heldStep.ts';
import { policyVerbs } from '../policies.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** What becomes of a run on two servers when its pull request does not wait for it. */
describe('a pull request whose life takes a turn in the middle of its run', { timeout: 3 * MINUTES }, () => {
  let world: World;
  const { setPolicy, applyHalves, openOnly, commentLike, nameOf, closeOpen } = policyVerbs(() => world);
  beforeAll(async () => {
    world = await startWorld({ hosts: 2, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
  }, 3 * MINUTES);
  afterEach(closeOpen);
  afterAll(() => world?.close());

  const onAll = (script: string): Promise<readonly string[]> =>
    Promise.all(world.hosts.map(async (host) => (await host.exec(script)).stdout.trim()));
  const trees = () => Promise.all(world.hosts.map((host) => snapshotTree(host)));
  const changes = async (before: Awaited<ReturnType<typeof trees>>): Promise<readonly string[]> => {
    const after = await trees();
    return Promise.all(
      before.map(async (tree, i) => {
        const now = after[i];
        return now === undefined ? 'gone' : describeDifferences(await compareTrees(tree, now));
      }),
    );
  };
  const AT_ONCE = { canary: 0, batches: '100%' };
  const approved = async (name: string, spec: Readonly<Record<string, unknown>> = {}) => {
    const held = heldStep(name);
    const slow = { ...held, undo: `sleep 2; ${held.undo}` };
    const files = { [`/etc/doaas-${name}`]: { content: `${name}\n` } };
    const { pull, sha } = await world.open(name, {
      [`${name}.yaml`]: configuration(name, { files, scripts: { [name]: slow }, rollout: AT_ONCE, ...spec }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    const before = await trees();
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await stepBegun(world.hosts, name);
    return { pull, sha, before };
  };
  const stopHeard = async (pull: number, name: string): Promise<void> => {
    await toldToStop(world.engine.temporal(), pull);
    await letGo(world.hosts, name);
  };
  const done = (name: string) => onAll(`cat /etc/doaas-${name}; ls /var/tmp/${name}.done`);
  const applyShows = (sha: string, text: RegExp) =>
    until(
      async () => (await world.checks(sha)).find((run) => run.name === 'doaas/apply' && text.test(run.title)),
      `doaas/apply to show ${text}`,
      60,
      async () => JSON.stringify(await world.checks(sha)),
    );
  /** No lock, nobody who waits, no check that says that something goes on, no unit on a server. */
  const settled = async (sha: string): Promise<void> => {
    const rest = async (): Promise<readonly string[]> => {
      const store = await openStore(world.engine.store, { readOnly: true });
      try {
        return [
          ...(await store.locks.list()).map(({ host }) => host),
          ...(await store.locks.queue()).map(({ runId }) => runId),
          ...(await store.hosts.needRecovery()).map(({ identity }) => identity),
          ...(await world.checks(sha))
            .filter(({ status }) => status !== 'completed')
            .map(({ title }) => title),
          ...(await onAll('systemctl list-units --no-legend "doaas-*"')).filter((units) => units !== ''),
        ];
      } finally {
        await store.close();
      }
    };
    await until(
      async () => ((await rest()).length === 0 ? true : undefined),
      'nothing to be left of the run',
      30,
      async () => JSON.stringify(await rest()),
    );
  };
  const runsOf = async (pull: number): Promise<number> => {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      return (await store.runs.ofPull(nameOf(), pull)).length;
    } finally {
      await store.close();
    }
  };
  const wholly = (name: string): readonly string[] => [0, 1].map(() => `${name}\n/var/tmp/${name}.done`);

  it('is taken back on both servers when its branch is deleted', async () => {
    const { pull, sha, before } = await approved('deleted');
    await world.github.deleteBranch(world.repo, 'deleted');
    await stopHeard(pull, 'deleted');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toBe(
      'The pull request was closed while it was applied; 2 servers restored as before',
    );
    expect(await changes(before)).toEqual(['', '']);
    expect(await world.merged(pull)).toBe(false);
    await settled(sha);
  });

  it('is taken back when it is closed, and begins anew when it is opened again meanwhile', async () => {
    const held = heldStep('reopened');
    const script = { ...held, undo: `${untilGo('reopened-back')}; ${held.undo}` };
    const { pull, sha, before } = await approved('reopened', { scripts: { reopened: script } });
    await world.github.closePullRequest(world.repo, pull);
    await stopHeard(pull, 'reopened');
    await applyShows(sha, /; rolling back 2 servers$/);
    await world.github.reopenPullRequest(world.repo, pull);
    await world.github.webhooks.settled();
    await letGo(world.hosts, 'reopened-back');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toMatch(/was closed while it was applied; 2 servers restored as before$/);
    expect(await changes(before)).toEqual(['', '']);
    await settled(sha);
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.title).toMatch(/^4 changes on 2 servers/);
    await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull, sha);
    expect(await done('reopened')).toEqual(wholly('reopened'));
    await world.check(sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
    await settled(sha);
  });

  it('is not said to stop, nor to leave what it did, where a cancel comes when it is being rolled back', async () => {
    const name = 'too-late';
    const script = {
      check: `test -e /var/tmp/${name}.done`,
      apply: `touch /var/tmp/${name}.begun /var/tmp/${name}.done`,
      undo: `until [ -e /var/tmp/${name}.go ]; do sleep 0.1; done; rm -f /var/tmp/${name}.*`,
    };
    const { pull, sha, before } = await approved(name, {
      scripts: { [name]: script },
      probes: [{ tcp: 'localhost:81', within: '1s' }],
    });
    await applyShows(sha, /; rolling back 2 servers$/);
    const keep = await world.say(pull, '/doaas cancel keep');
    await world.answer(pull, keep, /^Too late: .* is being rolled back, so nothing of what it did stays/m);
    const cancel = await world.say(pull, '/doaas cancel');
    await world.answer(pull, cancel, /^Too late: .* is being rolled back already/m);
    await onAll(`touch /var/tmp/${name}.go`);
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toMatch(/; 2 servers restored as before$/);
    expect(await changes(before)).toEqual(['', '']);
    await settled(sha);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('is not said to stop where a cancel comes when it is being merged', async () => {
    const merge = { method: 'PUT', path: /\/pulls\/\d+\/merge$/ } as const;
    world.github.faults.add({ ...merge, times: 1_000_000, respond: { status: 502 } });
    const { pull, sha } = await approved('merging');
    await letGo(world.hosts, 'merging');
    const isMerging = (): boolean =>
      world.github
        .requests()
        .some(({ method, path }) => method === merge.method && path.endsWith(`/${pull}/merge`));
    await until(async () => (isMerging() ? true : undefined), 'the merge to be tried', 60);
    for (const command of ['/doaas cancel', '/doaas cancel keep'])
      await world.answer(
        pull,
        await world.say(pull, command),
        /^Too late: .* is merging\. `\/doaas rollback`/m,
      );
    world.github.faults.clear();
    await world.mergedSoon(pull, sha);
    await world.check(sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
    expect(await done('merging')).toEqual(wholly('merging'));
    await settled(sha);
  });

  it('is finished when somebody merges it by hand, as that merge', async () => {
    const { pull, sha } = await approved('by-hand');
    const merge = await world.github.mergeByHand(world.repo, pull);
    await world.github.webhooks.settled();
    await letGo(world.hosts, 'by-hand');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
    expect(apply.title).toMatch(
      new RegExp(`^Applied 4 changes on 2 servers in .*; merged as ${merge.slice(0, 8)}$`),
    );
    expect((await world.check(sha, 'doaas/verify')).conclusion).toBe('success');
    expect(await done('by-hand')).toEqual(wholly('by-hand'));
    await settled(sha);
  });

  it('has its merge by hand reverted when the run fails after it', async () => {
    const { pull, sha, before } = await approved('too-early', {
      probes: [{ tcp: 'localhost:81', within: '1s' }],
    });
    await world.github.mergeByHand(world.repo, pull);
    await world.github.webhooks.settled();
    await letGo(world.hosts, 'too-early');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toMatch(/; 2 servers restored as before$/);
    expect(await changes(before)).toEqual(['', '']);
    await settled(sha);
    expect(apply.summary).not.toContain('Nothing was merged');
    const revert = Number(/#(\d+)/.exec(apply.summary)?.[1]);
    expect((await world.github.getPull(world.repo, revert)).title).toMatch(/^Revert #/);
    await world.github.mergeByHand(world.repo, revert);
    expect(await world.github.fileAt(world.repo, 'main', 'too-early.yaml')).toBeUndefined();
  });

  it('is not begun when somebody merges it by hand while it waits for its servers, and says so once', async () => {
    const slow = await approved('holding', { scripts: { holding: heldStep('holding', 'exit 1') } });
    const files = { '/etc/doaas-overtaken': { content: 'overtaken\n' } };
    const { pull, sha } = await openOnly('overtaken', {
      'overtaken.yaml': configuration('overtaken', { files }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const apply = async () => (await world.checks(sha)).find(({ name }) => name === 'doaas/apply');
    await until(async () => ((await apply())?.status === 'queued' ? true : undefined), 'it to wait');
    await world.github.mergeByHand(world.repo, pull);
    await letGo(world.hosts, 'holding');
    const stale = await world.check(sha, 'doaas/apply', { conclusion: 'neutral' });
    expect(stale.summary).toContain('the pull request was merged before anything was applied');
    await commentLike(pull, /^Not applied: .*merged before anything was applied/m);
    await world.check(slow.sha, 'doaas/apply', { conclusion: 'failure' });
    expect(await runsOf(pull)).toBe(1);
    expect(await onAll('cat /etc/doaas-overtaken 2>/dev/null')).toEqual(['', '']);
    await settled(sha);
    await world.github.push(world.repo, 'main', { 'overtaken.yaml': null });
  });

  it('is finished, as that merge, also when it waits in the middle for its window', {
    timeout: 10 * MINUTES,
  }, async () => {
    const shuts = new Date(Math.ceil((Date.now() + 90_000) / 60_000) * 60_000);
    const opens = new Date(shuts.getTime() + 120_000);
    const clock = (at: Date) => at.toISOString().slice(11, 16);
    // through midnight: all of the day but two minutes
    const hours = `{from: "${clock(opens)}", to: "${clock(shuts)}"}`;
    await setPolicy(`rules: {all: {window: {timeZone: UTC, hours: ${hours}}}}\n`);
    const pause = `${Math.ceil((shuts.getTime() - Date.now()) / 1000)}s`;
    const spec = { rollout: { pause }, targets: { hosts: ['web-1'] } };
    const { pull, sha } = await applyHalves('halves', ['first-half', 'second-half'], spec);
    await until(
      async () =>
        (await world.checks(sha)).find(({ title }) => title.startsWith('Waiting for the change window')),
      'the run to wait in the middle',
      240,
      async () => JSON.stringify(await world.checks(sha)),
    );
    const merge = await world.github.mergeByHand(world.repo, pull);
    const apply = await world.check(sha, 'doaas/apply', { title: /merged as/, seconds: 240 });
    expect(Date.now()).toBeGreaterThanOrEqual(opens.getTime());
    expect(apply.title).toMatch(
      new RegExp(`^Applied 2 changes on 1 server in .*; merged as ${merge.slice(0, 8)}$`),
    );
    const halves = await world.hosts[0]?.exec('cat /etc/doaas-first-half /etc/doaas-second-half');
    expect(halves?.stdout).toBe('first-half\nsecond-half\n');
    await settled(sha);
    await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': null });
  });

  it('sent GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});
