import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TASK_QUEUE } from '../../engine/activities/signalPull.ts';
import { openStore, type Store } from '../../engine/store/store.ts';
import { applyShows as applyShowsIn } from '../applyShows.ts';
import { endDeploymentOf } from '../endDeployment.ts';
import { HEAD } from '../policies.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** What becomes of what a run does on its server when its workflow is ended from outside. */
describe('a run whose workflow is ended from outside', { timeout: 3 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ hosts: 1, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string): Promise<string> =>
    ((await world.hosts[0]?.exec(script))?.stdout ?? '').trim();
  const there = (path: string) =>
    until(
      async () => ((await on(`ls ${path} 2>/dev/null`)) === '' ? undefined : true),
      `${path} to be there`,
    );
  const look = async <T>(use: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
  const opened = async (name: string, script: Readonly<Record<string, string>>) => {
    const { pull, sha } = await world.open(name, {
      [`${name}.yaml`]: configuration(name, { scripts: { [name]: script } }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    return { pull, sha };
  };
  const approved = async (name: string, script: Readonly<Record<string, string>>) => {
    const made = await opened(name, script);
    await world.say(made.pull, '/doaas apply');
    return made;
  };
  const marked = (name: string) => ({
    check: `test -e /var/tmp/${name}`,
    apply: `touch /var/tmp/${name}`,
    undo: `rm -f /var/tmp/${name}`,
  });
  const applyShows = (sha: string, text: RegExp) => applyShowsIn(world, sha, text, 60);
  const stateOf = (pull: number) =>
    look(async (store) => {
      const { owner, name } = world.repo;
      return (await store.runs.ofPull(`${owner}/${name}`, pull))[0]?.state;
    });
  const sweep = () =>
    world.engine
      .temporal()
      .workflow.execute('sweep', { workflowId: 'sweep:dead-runs', taskQueue: TASK_QUEUE, args: [] });

  /** A disk that takes what a run saves only once it is told to. */
  const slowDisk = '/usr/local/sbin/sync';
  const slowly = `#!/bin/sh
case "$1" in */captured) touch /var/tmp/slow.saving; until [ -e /var/tmp/slow.go ]; do sleep 0.1; done ;; esac
exec /bin/sync "$@"
`;

  it('is asked for on its server though no step of it had begun: what is under way there may still begin them', async () => {
    await on(`printf %s '${slowly}' > ${slowDisk}; chmod 755 ${slowDisk}`);
    try {
      const dead = await approved('slow', marked('slow'));
      await there('/var/tmp/slow.saving');
      await endDeploymentOf(world.engine.temporal(), dead.pull);
      await sweep();
      const told = await applyShows(dead.sha, /Ended without cleaning up/);
      expect(told.summary).toContain('| web-1 | ◐ begun; how far it came is not known |');

      const next = await approved('next', marked('next'));
      await applyShows(next.sha, /^Recovering/);
      await on('touch /var/tmp/slow.go');
      await world.mergedSoon(next.pull, next.sha);
      const end = await applyShows(dead.sha, /ended without cleaning up; .* restored as before/);
      expect([end.conclusion, await stateOf(dead.pull)]).toEqual(['failure', 'rolled-back']);
      expect(await on('ls /var/tmp/slow /var/tmp/next 2>/dev/null')).toBe('/var/tmp/next');
      await world.github.closePullRequest(world.repo, dead.pull);
    } finally {
      await on(`rm -f ${slowDisk}; touch /var/tmp/slow.go`);
    }
  });

  const slowToApply = (name: string) => ({
    ...marked(name),
    apply: `touch /var/tmp/${name}.begun; until [ -e /var/tmp/${name}.go ]; do sleep 0.1; done; touch /var/tmp/${name}`,
  });
  /** The pull request that the check of a merged, dead run names. */
  const revertToldBy = async (dead: { readonly sha: string }): Promise<number> => {
    const told = await applyShows(dead.sha, /Ended without cleaning up/);
    expect(told.summary).toContain('The change is merged, yet the next run');
    const revert = Number(/merge pull request #(\d+), which reverts it/.exec(told.summary)?.[1]);
    expect((await world.github.getPull(world.repo, revert)).title).toMatch(/^Revert #/);
    return revert;
  };
  /** The branch is put back by the merge of the revert, the server by the next run there. */
  const putBack = async (
    name: string,
    dead: { readonly pull: number; readonly sha: string },
  ): Promise<void> => {
    const revert = await revertToldBy(dead);
    await world.github.mergeByHand(world.repo, revert);
    expect(await world.github.fileAt(world.repo, 'main', `${name}.yaml`)).toBeUndefined();
    const next = await approved(`after-${name}`, marked(`after-${name}`));
    await world.mergedSoon(next.pull, next.sha);
    expect(await on(`ls /var/tmp/${name} 2>/dev/null; echo gone`)).toBe('gone');
    const end = await applyShows(dead.sha, /restored as before/);
    expect(end.summary).toContain(`merge pull request #${revert}, which reverts it`);
    expect(await stateOf(dead.pull)).toBe('rolled-back');
  };

  it('has its revert opened where it was merged first', async () => {
    await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': `${HEAD}  trigger: merge\n` });
    const { pull, sha } = await world.open('early', {
      'early.yaml': configuration('early', { scripts: { early: slowToApply('early') } }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'action_required' });
    await world.approve(pull);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.mergeByHand(world.repo, pull);
    await there('/var/tmp/early.begun');
    await endDeploymentOf(world.engine.temporal(), pull);
    await on('touch /var/tmp/early.go');
    await there('/var/tmp/early');
    await sweep();

    await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': null });
    await putBack('early', { pull, sha });
  });

  it('has its revert opened where it died between its merge and its end', async () => {
    const { pull, sha } = await approved('unsaid', slowToApply('unsaid'));
    await there('/var/tmp/unsaid.begun');
    const checks = { path: /\/check-runs/, times: 1_000_000, respond: { status: 502 } } as const;
    for (const method of ['POST', 'PATCH']) world.github.faults.add({ ...checks, method });
    await on('touch /var/tmp/unsaid.go');
    await world.mergedSoon(pull, sha);
    await endDeploymentOf(world.engine.temporal(), pull);
    world.github.faults.clear();
    await sweep();

    await putBack('unsaid', { pull, sha });
  });

  it('sent GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});
