import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyShows as applyShowsIn } from '../applyShows.ts';
import { LIMITS, loadOf } from '../githubLoad.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** A change reaches eight servers in batches: who is touched when, what a failure costs, and what a person can stop. */
describe('a rollout over eight servers', { timeout: 8 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      hosts: 8,
      engine: 'process',
      environment: { DOAAS_CANCEL_SECONDS: '5', DOAAS_HOST_OUTAGE_SECONDS: '20' },
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
  });
  afterAll(() => world?.close());

  const ALL = [1, 2, 3, 4, 5, 6, 7, 8];
  const on = async (n: number, script: string): Promise<string> =>
    ((await world.hosts[n - 1]?.exec(script))?.stdout ?? '').trim();
  /** Servers without power; nobody can look at them. A cut cable is noticed by time limits only, and `cuts` has those. */
  const off = new Set<number>();
  const powerOff = async (n: number): Promise<void> => {
    off.add(n);
    await world.hosts[n - 1]?.kill();
  };
  const powerOn = async (n: number): Promise<void> => {
    await world.hosts[n - 1]?.start();
    off.delete(n);
  };
  const having = async (path: string): Promise<readonly number[]> => {
    const there = ALL.filter((n) => !off.has(n));
    const found = await Promise.all(there.map((n) => on(n, `test -e ${path} && echo yes`)));
    return there.filter((_, i) => found[i] === 'yes');
  };
  /** Counts its effects on the host, and says when it was done. */
  const counted = (name: string) => ({
    [name]: {
      check: `test -e /var/tmp/${name}`,
      apply: `echo "$(date +%s%N)" >> /var/tmp/${name}`,
      undo: `rm -f /var/tmp/${name}; echo undone >> /var/tmp/${name}.undone`,
    },
  });
  /** A restart takes half a second; its host keeps when it began and ended, once done and once undone. `undoSeconds`: more where several are to be seen at it at once. */
  const restarting = (name: string, first = ':', undoSeconds = 0.5) => {
    const restart = (file: string, seconds = 0.5) =>
      `b=$(date +%s%N); sleep ${seconds}; echo "$b $(date +%s%N)" >> ${file}`;
    return {
      [name]: {
        check: `test -e /var/tmp/${name}`,
        apply: `${first}; ${restart(`/var/tmp/${name}`)}`,
        undo: `${restart(`/var/tmp/${name}.undone`, undoSeconds)}; rm -f /var/tmp/${name}`,
      },
    };
  };
  /** Whose service was restarted, in order, and how many of them were down at the same time. */
  const restarts = async (file: string) => {
    const spans = await Promise.all(
      (await having(file)).map(async (n) => {
        const [begin = 0, end = 0] = (await on(n, `cat ${file}`)).split(/\s/).map(Number);
        return { n, begin, end };
      }),
    );
    const down = spans.map(
      ({ begin: at }) => spans.filter(({ begin, end }) => begin <= at && at < end).length,
    );
    const order = spans.toSorted((a, b) => a.begin - b.begin).map(({ n }) => n);
    return { order, mostDown: Math.max(...down) };
  };
  const planned = async (name: string, spec: Readonly<Record<string, unknown>>) => {
    const { pull, sha } = await world.open(name, { [`${name}.yaml`]: configuration(name, spec) });
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success', seconds: 120 });
    return { pull, sha, plan };
  };
  const applying = async (name: string, spec: Readonly<Record<string, unknown>>) => {
    const { pull, sha, plan } = await planned(name, spec);
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    return { pull, sha, plan };
  };
  const applyShows = (sha: string, text: RegExp) => applyShowsIn(world, sha, text, 120);
  const finished = (sha: string, conclusion: string) =>
    world.check(sha, 'doaas/apply', { conclusion, seconds: 240 });

  it('goes to one server first, then to a quarter at a time, and says so beforehand', async () => {
    const before = world.github.requests().length;
    const { pull, sha, plan } = await applying('default', { scripts: counted('default') });
    expect(plan.summary).toContain('**Rollout:** 5 batches over 8 servers');
    expect(plan.summary).toContain('| 1, canary | web-1 | verify |');
    expect(plan.summary).toContain('| 5 | web-8 | verify |');
    expect(plan.summary).toContain('web-1 is the canary because it is the first of them');
    const apply = await finished(sha, 'success');
    expect(apply.summary.match(/✓ done \|/g)?.length).toBeGreaterThanOrEqual(5);
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge', 60);
    // as many batches as a hundred servers have; what it takes with those is measured by `bench -- github`
    const { writes } = loadOf(world.github.requests().slice(before));
    expect(writes).toBeLessThanOrEqual(LIMITS.writesAMinute / 2);
    const times = await Promise.all(ALL.map(async (n) => BigInt(await on(n, 'cat /var/tmp/default'))));
    const batches = [[1], [2, 3], [4, 5], [6, 7], [8]].map((batch) => batch.map((n) => times[n - 1] ?? 0n));
    for (const [i, batch] of batches.slice(1).entries()) {
      for (const earlier of batches[i] ?? []) for (const later of batch) expect(earlier < later).toBe(true);
    }
  });

  it('finds an earlier server that goes bad later; and puts back no more at once than it changed, the bad one first', async () => {
    await on(7, 'touch /var/tmp/lingers');
    const lingering = 'touch /var/tmp/late.begun; while test -e /var/tmp/lingers; do sleep 0.1; done';
    const { pull, sha } = await applying('late', {
      scripts: restarting('late', lingering, 4),
      probes: [{ command: ['test', '!', '-e', '/var/tmp/bad'], within: '10s' }],
    });
    await until(
      async () => ((await having('/var/tmp/late.begun')).includes(7) ? true : undefined),
      'the fourth batch',
      60,
    );
    await on(2, 'touch /var/tmp/bad');
    await on(7, 'rm /var/tmp/lingers');
    const end = await finished(sha, 'failure');
    expect(end.title).toMatch(/failed on web-2; 7 servers restored as before$/);
    expect(await having('/var/tmp/late')).toEqual([]);
    const { order, mostDown } = await restarts('/var/tmp/late.undone');
    expect([order.slice(0, 2), order.slice(2, 4)].map((pair) => pair.toSorted())).toEqual([
      [2, 7],
      [5, 6],
    ]);
    expect(order).toHaveLength(7);
    expect(mostDown).toBe(2);
    await on(2, 'rm /var/tmp/bad');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('is taken back after the merge in batches of the same size', async () => {
    const { pull, sha } = await applying('merged', {
      scripts: restarting('merged', ':', 4),
      rollout: { canary: 0, batches: '50%' },
    });
    await finished(sha, 'success');
    await world.mergedSoon(pull);
    const text = await world.answer(
      pull,
      await world.say(pull, '/doaas rollback'),
      /The hosts are as they were/,
    );
    expect(await having('/var/tmp/merged')).toEqual([]);
    const { order, mostDown } = await restarts('/var/tmp/merged.undone');
    expect(order.slice(0, 4).toSorted()).toEqual([5, 6, 7, 8]);
    expect(order.slice(4).toSorted()).toEqual([1, 2, 3, 4]);
    expect(mostDown).toBe(4);
    await world.github.mergeByHand(world.repo, Number(/Pull request #(\d+)/.exec(text)?.[1]));
  });

  it('touches only the canary when that fails, and puts it back', async () => {
    const { pull, sha } = await applying('canary', {
      scripts: counted('canary'),
      probes: [{ tcp: 'localhost:81', within: '1s' }],
      rollout: { failureBudget: 3 },
    });
    expect((await finished(sha, 'failure')).title).toBe(
      'Probe tcp localhost:81 failed on web-1; 1 server restored as before',
    );
    expect(await having('/var/tmp/canary')).toEqual([]);
    expect(await having('/var/tmp/canary.undone')).toEqual([1]);
    expect(await world.merged(pull)).toBe(false);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('skips a server that cannot be reached, with a finding; and counts it among those that are down', async () => {
    await powerOff(6);
    const strict = await world.open('strict', {
      'strict.yaml': configuration('strict', {
        scripts: restarting('strict'),
        rollout: { unreachable: 'fail' },
      }),
    });
    const failed = await world.check(strict.sha, 'doaas/plan', { conclusion: 'failure' });
    expect(failed.summary).toMatch(/web.*6 .*cannot be reached/);
    await world.github.closePullRequest(world.repo, strict.pull);

    const { pull, sha, plan } = await planned('skip', {
      scripts: restarting('skip'),
      rollout: { unreachable: 'skip', batches: '50%', maxUnavailable: 3 },
    });
    expect(plan.summary).toContain('web-6 is skipped, as the rollout says');
    expect(plan.summary).toContain('| 1, canary | web-1 | verify |');
    expect(plan.summary).toContain('| 2 | web-2, web-3 and web-4 | verify |');
    await world.approve(pull);
    await powerOff(1);
    await world.say(pull, '/doaas apply');
    expect((await finished(sha, 'neutral')).title).toMatch(/; without web-6 and web-1$/);
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge', 60);
    expect((await restarts('/var/tmp/skip')).mostDown).toBe(1);

    const none = await applying('none', {
      scripts: restarting('none'),
      rollout: { unreachable: 'skip', maxUnavailable: 2 },
    });
    expect((await finished(none.sha, 'failure')).summary).toMatch(
      /at most 2 may be unavailable, and web.*1, web.*6 failed or cannot be reached/,
    );
    expect(await having('/var/tmp/none')).toEqual([]);
    await world.github.closePullRequest(world.repo, none.pull);
    await powerOn(1);
    await powerOn(6);
    await on(6, 'touch /var/tmp/skip');
    expect(await on(6, 'wc -l < /var/tmp/skip')).toBe('0');
  });

  it('merges nothing when all of its servers are skipped', async () => {
    const { pull, sha } = await planned('alone', {
      targets: { hosts: ['web-8'] },
      scripts: restarting('alone'),
      rollout: { unreachable: 'skip' },
    });
    await world.approve(pull);
    await powerOff(8);
    await world.say(pull, '/doaas apply');
    expect((await finished(sha, 'failure')).summary).toContain('None of the servers could be changed');
    expect(await world.merged(pull)).toBe(false);
    await powerOn(8);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('waits for a server that cannot be reached when its turn comes', async () => {
    const { pull, sha } = await planned('wait', {
      scripts: counted('wait'),
      rollout: { unreachable: 'wait', batches: '50%' },
    });
    await world.approve(pull);
    await powerOff(2);
    await world.say(pull, '/doaas apply');
    await applyShows(sha, /waiting until web-2 can be reached/);
    expect(await having('/var/tmp/wait')).toEqual([1]);
    await powerOn(2);
    await finished(sha, 'success');
    expect(await having('/var/tmp/wait')).toEqual(ALL);
  });

  it('waits while more are down than may be, and looks again at whose turn it is once one is back', async () => {
    await on(1, 'touch /var/tmp/lingers');
    const lingering = 'touch /var/tmp/room.begun; while test -e /var/tmp/lingers; do sleep 0.1; done';
    const { sha } = await applying('room', {
      targets: { hosts: ['web-1', 'web-2', 'web-3', 'web-4'] },
      scripts: restarting('room', lingering),
      rollout: { unreachable: 'wait', maxUnavailable: 1 },
    });
    await until(
      async () => ((await having('/var/tmp/room.begun')).includes(1) ? true : undefined),
      'the canary',
      60,
    );
    await powerOff(4);
    await on(1, 'rm /var/tmp/lingers');
    await applyShows(sha, /waiting until web-4 can be reached: at most 1 server may be unavailable/);
    expect(await having('/var/tmp/room')).toEqual([1]);
    await powerOff(2);
    await powerOn(4);
    await applyShows(sha, /waiting until web-2 can be reached(?!:)/);
    expect(await having('/var/tmp/room')).toEqual([1]);
    await powerOn(2);
    await finished(sha, 'success');
    const { order, mostDown } = await restarts('/var/tmp/room');
    expect(order).toEqual([1, 2, 3, 4]);
    expect(mostDown).toBe(1);
  });

  it('goes on in the same batch when the engine is killed in a pause', async () => {
    const { sha } = await applying('pause', {
      scripts: counted('pause'),
      rollout: { pause: '30s', batches: '100%' },
    });
    await applyShows(sha, /the next begins at/);
    expect(await having('/var/tmp/pause')).toEqual([1]);
    await world.engine.kill();
    await world.engine.start();
    await finished(sha, 'success');
    expect(await Promise.all(ALL.map((n) => on(n, 'wc -l < /var/tmp/pause')))).toEqual(ALL.map(() => '1'));
  });

  it('holds where its rollout says so, until somebody decides', async () => {
    const { pull, sha } = await applying('hold', {
      scripts: counted('hold'),
      probes: [{ tcp: 'localhost:81', within: '1s' }],
      rollout: { onExceeded: 'hold' },
    });
    const held = await finished(sha, 'action_required');
    expect(held.title).toBe('Stopped: 1 of 8 servers changed');
    expect(held.summary).toContain('Nothing more is done until somebody decides.');
    expect(await having('/var/tmp/hold')).toEqual([1]);
    await world.say(pull, '/doaas rollback');
    await finished(sha, 'failure');
    expect(await having('/var/tmp/hold')).toEqual([]);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('is cancelled in a pause, and rolled back when nobody answers', async () => {
    const { pull, sha } = await applying('cancelled', {
      scripts: counted('cancelled'),
      rollout: { pause: '10m' },
    });
    await applyShows(sha, /the next begins at/);
    const cancel = await world.say(pull, '/doaas cancel');
    await world.answer(pull, cancel, /at the next safe point/);
    const end = await finished(sha, 'failure');
    expect(end.title).toBe('anna-author cancelled the run; 1 server restored as before');
    expect(await having('/var/tmp/cancelled.undone')).toEqual([1]);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('bears failures within its budget over the whole fleet, and stops at the next one', async () => {
    for (const n of [3, 5]) await on(n, 'touch /var/tmp/refuses');
    const failing = (name: string) => ({
      [name]: {
        check: `test -e /var/tmp/${name}`,
        apply: `test ! -e /var/tmp/refuses && touch /var/tmp/${name}`,
        undo: `rm -f /var/tmp/${name}; touch /var/tmp/${name}.undone`,
      },
    });
    const one = await applying('one', { scripts: failing('one'), rollout: { failureBudget: 1 } });
    expect((await finished(one.sha, 'failure')).title).toMatch(
      /failed on web-5; [45] servers restored as before$/,
    );
    expect(await having('/var/tmp/one')).toEqual([]);
    expect(await having('/var/tmp/one.undone')).not.toContain(6);
    await world.github.closePullRequest(world.repo, one.pull);

    const two = await applying('two', { scripts: failing('two'), rollout: { failureBudget: '25%' } });
    const apply = await finished(two.sha, 'neutral');
    expect(apply.title).toMatch(/; without web-3 and web-5$/);
    expect(apply.summary).toContain('Failure budget: 2 of 2 used.');
    expect(await having('/var/tmp/two')).toEqual([1, 2, 4, 6, 7, 8]);
    await until(async () => ((await world.merged(two.pull)) ? true : undefined), 'the merge', 60);
    for (const n of [3, 5]) await on(n, 'rm /var/tmp/refuses');
  });

  it('keeps what is done when that is the answer, merges nothing and stays locked', async () => {
    const { pull, sha } = await applying('kept', { scripts: counted('kept'), rollout: { pause: '10m' } });
    await applyShows(sha, /the next begins at/);
    await world.say(pull, '/doaas cancel keep');
    const end = await finished(sha, 'failure');
    expect(end.title).toBe('Kept as it is: 1 of 8 servers changed');
    expect(end.summary).toContain('these servers are not as the branch says');
    expect(await having('/var/tmp/kept')).toEqual([1]);
    expect(await world.merged(pull)).toBe(false);
    const status = await world.say(pull, '/doaas status');
    await world.answer(pull, status, /: held/);
    const unlock = await world.say(pull, '/doaas unlock');
    await world.answer(pull, unlock, /is free now/);
  });

  it('sent GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});
