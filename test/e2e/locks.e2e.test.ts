import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityOf } from '../../engine/activities/identity.ts';
import { TASK_QUEUE } from '../../engine/activities/signalPull.ts';
import { pullWorkflowId } from '../../engine/github/workflowIds.ts';
import { LOCK_QUEUE_MAX } from '../../engine/store/lockQueue.ts';
import { openStore, type Store } from '../../engine/store/store.ts';
import type { LabHost } from '../../lab/hosts.ts';
import type { drift } from '../../workflows/drift.ts';
import { applyShows as applyShowsIn } from '../applyShows.ts';
import { endDeploymentOf } from '../endDeployment.ts';
import { hostHarness } from '../hostHarness.ts';
import { isMany } from '../many.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Who may touch which of two servers, and what becomes of what a run left when its lock goes to another. */
describe('locks of two servers', { timeout: 3 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ hosts: 2, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (n: number, script: string): Promise<string> =>
    ((await world.hosts[n - 1]?.exec(script))?.stdout ?? '').trim();
  const look = async <T>(use: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
  const marked = (name: string, spec: Readonly<Record<string, unknown>> = {}) => ({
    [`${name}.yaml`]: configuration(name, {
      scripts: {
        [name]: {
          check: `test -e /var/tmp/${name}`,
          apply: `touch /var/tmp/${name}`,
          undo: `rm -f /var/tmp/${name}`,
        },
      },
      ...spec,
    }),
  });
  const FIRST = { targets: { hosts: ['web-1'] } };
  const IN_STAGES = { rollout: { canary: 1, pause: '10m' } };
  const approved = async (name: string, files: Readonly<Record<string, string>>) => {
    const { pull, sha } = await world.open(name, files);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    const comment = await world.say(pull, '/doaas apply');
    return { pull, sha, comment };
  };
  const applyShows = (sha: string, text: RegExp) => applyShowsIn(world, sha, text, 60);
  const runOf = (pull: number) =>
    look(async (store) => {
      const { owner, name } = world.repo;
      const [run] = await store.runs.ofPull(`${owner}/${name}`, pull);
      if (run === undefined) throw new Error(`no run of #${pull} is in the store`);
      return run;
    });
  const ended = async (pull: number, state: string) =>
    until(
      async () => ((await runOf(pull)).state === state ? true : undefined),
      `the run of #${pull} to end as ${state}`,
    );
  const noLocks = () =>
    until(
      async () => ((await look((store) => store.locks.list())).length === 0 ? true : undefined),
      'all locks to be given back',
      30,
      async () => JSON.stringify(await look((store) => store.locks.list())),
    );

  it('are given back at once by a run that is cancelled while it waits for its first server', async () => {
    const [first] = world.hosts;
    const { pull, sha } = await world.open(
      'early',
      marked('early', { ...FIRST, rollout: { unreachable: 'wait' } }),
    );
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await first?.kill();
    try {
      await world.say(pull, '/doaas apply');
      await applyShows(sha, /waiting until web-1 can be reached/);
      await world.say(pull, '/doaas cancel');
      const end = await world.check(sha, 'doaas/apply', { conclusion: 'neutral' });
      expect(end.summary).toContain('anna-author cancelled the run. Nothing was changed.');
      await noLocks();
    } finally {
      await first?.start();
    }
    await world.github.closePullRequest(world.repo, pull);
  });

  it('a server whose turn comes hours later refuses the former holder from the grant on', async () => {
    const second = world.hosts[1] as LabHost;
    const former = await approved('former', marked('former', IN_STAGES));
    await applyShows(former.sha, /the next begins at/);
    const { id } = await runOf(former.pull);
    const shown = await look(async (store) => {
      const lock = (await store.locks.heldBy(id)).find(({ host }) => host.startsWith(second.address));
      return store.locks.fenceOf(id, lock?.host ?? '');
    });
    if (shown === undefined) throw new Error('the former run holds no lock on web-2');
    await endDeploymentOf(world.engine.temporal(), former.pull);

    const next = await approved('next', marked('next', IN_STAGES));
    await applyShows(next.sha, /the next begins at/);
    expect(await on(2, 'ls /var/tmp/next 2>/dev/null; echo nothing')).toBe('nothing');
    // what a worker that was cut off had read of the store before, and brings only now
    const harness = hostHarness(second);
    try {
      const late = await harness.plan({ hostsEntries: { '192.0.2.9': ['late'] } });
      await expect(harness.applyPlan(late, shown)).rejects.toMatchObject({ type: 'fenced' });
    } finally {
      await harness.close();
    }
    expect(await on(2, 'grep -c late /etc/hosts')).toBe('0');
    await world.say(next.pull, '/doaas rollback');
    await world.check(next.sha, 'doaas/apply', { conclusion: 'failure' });
    expect(await on(1, 'ls /var/tmp/former /var/tmp/next 2>/dev/null; echo nothing')).toBe('nothing');
    for (const { pull } of [former, next]) await world.github.closePullRequest(world.repo, pull);
    await noLocks();
  });

  it('are given up by the next sweep where a run was ended from outside, and it is said: no other run has to want them', async () => {
    const { workflow } = world.engine.temporal();
    const metric = async (name: string): Promise<number> => {
      const text = await (await fetch(`${world.engine.url()}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
    };
    const dead = await approved('left', marked('left', IN_STAGES));
    await applyShows(dead.sha, /the next begins at/);
    const behind = await approved('left-behind', marked('left-behind', FIRST));
    await applyShows(behind.sha, /^Waiting for/);
    for (const { pull } of [behind, dead]) await endDeploymentOf(world.engine.temporal(), pull);
    await workflow.execute('sweep', { workflowId: 'sweep:dead-runs', taskQueue: TASK_QUEUE, args: [] });

    const told = await world.check(dead.sha, 'doaas/apply', { conclusion: 'failure' });
    expect(told.title).toBe('Ended without cleaning up: 1 of 2 servers changed');
    expect(told.summary).toContain('the next run on each of them first undoes what this one did there');
    expect(await world.comment(dead.pull)).toContain('### Ended without cleaning up: 1 of 2 servers changed');
    const waited = await world.check(behind.sha, 'doaas/apply', { conclusion: 'neutral' });
    expect(waited.summary).toContain('its workflow was ended while it waited for servers');
    const status = await world.say(dead.pull, '/doaas status');
    await world.answer(dead.pull, status, /\(apply\): needs-recovery, since/);
    expect(await look((store) => store.locks.list())).toEqual([]);
    expect(await look((store) => store.locks.queue())).toEqual([]);
    expect(await metric('doaas_hosts_needing_recovery')).toBeGreaterThanOrEqual(1);
    expect(await metric('doaas_runs_running')).toBe(0);
    // a change by hand there is seen all the same
    const { owner, name } = world.repo;
    const repository = { owner, name, installationId: world.github.installationId };
    const { skipped } = await workflow.execute<typeof drift>('drift', {
      workflowId: 'drift:dead-runs',
      taskQueue: TASK_QUEUE,
      args: [repository],
    });
    expect(skipped).toEqual([]);

    // what the page about it says to do
    await world.say(dead.pull, '/doaas apply');
    await applyShows(dead.sha, /the next begins at/);
    const states = await look(({ runs }) => runs.ofPull(`${owner}/${name}`, dead.pull));
    expect(states.map(({ state }) => state)).toEqual(['running', 'rolled-back']);
    expect(await look((store) => store.hosts.needRecovery())).toEqual([]);
    await world.say(dead.pull, '/doaas rollback');
    await world.check(dead.sha, 'doaas/apply', { conclusion: 'failure', title: /2 servers|1 server/ });
    await noLocks();
    expect(await on(1, 'ls /var/tmp/left 2>/dev/null; echo nothing')).toBe('nothing');
    for (const { pull } of [behind, dead]) await world.github.closePullRequest(world.repo, pull);
  });

  it('of which a person frees one keep what they wanted to keep, whoever comes next', async () => {
    const kept = await approved('kept', marked('kept', IN_STAGES));
    await applyShows(kept.sha, /the next begins at/);
    await world.say(kept.pull, '/doaas cancel keep');
    await ended(kept.pull, 'held');
    const unlock = await world.say(kept.pull, '/doaas unlock web-1', world.github.accounts.reviewer);
    await world.answer(
      kept.pull,
      unlock,
      /is free now\. What the run left there stays as it is until the next/,
    );
    expect((await runOf(kept.pull)).state).toBe('held');

    const other = await approved('other', marked('other', FIRST));
    await world.mergedSoon(other.pull, other.sha);
    expect(await on(1, 'ls /var/tmp/kept /var/tmp/other')).toBe('/var/tmp/kept\n/var/tmp/other');
    const behind = await approved('behind', marked('behind', { targets: { hosts: ['web-2'] } }));
    await applyShows(behind.sha, /^Waiting for/);
    const rest = await world.say(kept.pull, '/doaas unlock', world.github.accounts.reviewer);
    await world.answer(kept.pull, rest, /is free now/);
    await ended(kept.pull, 'failed');
    await world.mergedSoon(behind.pull, behind.sha);
    expect(await on(1, 'ls /var/tmp/kept')).toBe('/var/tmp/kept');
    await world.github.closePullRequest(world.repo, kept.pull);
    await noLocks();
  });

  it('are given back by a run that is cancelled while it waits for them', async () => {
    const holder = await approved('long', marked('long', IN_STAGES));
    await applyShows(holder.sha, /the next begins at/);
    const waiter = await approved('impatient', marked('impatient', FIRST));
    await applyShows(waiter.sha, /^Waiting for/);
    const cancel = await world.say(waiter.pull, '/doaas cancel');
    await world.answer(waiter.pull, cancel, /at the next safe point/);
    const end = await world.check(waiter.sha, 'doaas/apply', { conclusion: 'neutral' });
    expect(end.summary).toContain('anna-author cancelled the run. Nothing was changed.');
    await world.answer(waiter.pull, waiter.comment, /^Not applied: anna-author cancelled the run\./m);
    // it gives up its place just after it has said so
    await until(
      async () => ((await look((store) => store.locks.queue())).length === 0 ? true : undefined),
      'its place to be given up',
    );
    expect(
      (await look((store) => store.locks.list())).every(({ pull }) => pull.endsWith(`#${holder.pull}`)),
    ).toBe(true);
    expect(await on(1, 'ls /var/tmp/impatient 2>/dev/null; echo nothing')).toBe('nothing');
    await world.say(holder.pull, '/doaas rollback');
    await world.check(holder.sha, 'doaas/apply', { conclusion: 'failure' });
    await noLocks();
    const { owner, name } = world.repo;
    expect(await look(({ runs }) => runs.ofPull(`${owner}/${name}`, waiter.pull))).toHaveLength(1);
    for (const { pull } of [holder, waiter]) await world.github.closePullRequest(world.repo, pull);
  });

  it.each(['roll back', 'keep'] as const)(
    'of a run that is cancelled in the middle of a step, to %s: the step ends, the next does not begin',
    async (answer) => {
      const id = answer === 'keep' ? 'stay' : 'away';
      const script = (step: string, wait: string) => ({
        check: `test -e /var/tmp/${step}`,
        apply: `touch /var/tmp/${step}.begun; ${wait}; touch /var/tmp/${step}`,
        undo: `rm -f /var/tmp/${step} /var/tmp/${step}.begun`,
      });
      const wait = `until [ -e /var/tmp/${id}.go ]; do sleep 0.1; done`;
      const { pull, sha } = await approved(id, {
        [`${id}.yaml`]: configuration(id, {
          ...FIRST,
          scripts: { [`${id}-1`]: script(`${id}-1`, wait), [`${id}-2`]: script(`${id}-2`, ':') },
        }),
      });
      await until(
        async () => ((await on(1, `[ -e /var/tmp/${id}-1.begun ] && echo yes`)) === 'yes' ? true : undefined),
        'the first step to begin',
      );
      const cancel = await world.say(pull, answer === 'keep' ? '/doaas cancel keep' : '/doaas cancel');
      await world.answer(pull, cancel, /at the next safe point/);
      const { id: run } = await runOf(pull);
      await until(
        async () =>
          (await on(1, `ls /var/lib/doaas/runs/${run}-w*/cancel 2>/dev/null`)) === '' ? undefined : true,
        'the server to be told',
      );
      await on(1, `touch /var/tmp/${id}.go`);
      if (answer === 'keep') {
        const end = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
        expect(end.title).toMatch(/^Kept as it is/);
        expect(await on(1, `ls /var/tmp/${id}-* | sort`)).toBe(`/var/tmp/${id}-1\n/var/tmp/${id}-1.begun`);
        await world.say(pull, '/doaas unlock');
        await ended(pull, 'failed');
      } else {
        await world.check(sha, 'doaas/apply', { conclusion: 'action_required' });
        expect(await on(1, `ls /var/tmp/${id}-* | sort`)).toBe(`/var/tmp/${id}-1\n/var/tmp/${id}-1.begun`);
        await world.say(pull, '/doaas rollback');
        await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
        expect(await on(1, `ls /var/tmp/${id}-* 2>/dev/null; echo nothing`)).toBe('nothing');
      }
      await world.github.closePullRequest(world.repo, pull);
      // what was kept is in no YAML, so the next change of that server removes it
      const next = await approved(`after-${id}`, marked(`after-${id}`, FIRST));
      await world.mergedSoon(next.pull, next.sha);
      expect(await on(1, `ls /var/tmp/${id}-1 2>/dev/null; echo gone`)).toBe('gone');
      await noLocks();
    },
  );

  it('go to what takes a change back first, then first come, first served, and each says for whom it waits', async () => {
    const SECOND = { targets: { hosts: ['web-2'] } };
    const name = (pull: number) => `${world.repo.owner}/${world.repo.name}#${pull}`;
    const base = await approved('base', marked('base', SECOND));
    await world.mergedSoon(base.pull, base.sha);
    const holder = await approved('holder', marked('holder', IN_STAGES));
    await applyShows(holder.sha, /the next begins at/);
    const both = await approved('both', marked('both'));
    await applyShows(both.sha, new RegExp(`^Waiting for ${name(holder.pull)}$`, 'm'));
    const last = await approved('last', marked('last', FIRST));
    const waits = await applyShows(last.sha, /place 2/);
    expect(waits.summary).toContain(name(both.pull));

    const givenUp = await world.say(base.pull, '/doaas rollback');
    await world.answer(base.pull, givenUp, /this waits for/);
    const cancel = await world.say(base.pull, '/doaas cancel');
    await world.answer(base.pull, cancel, /ends if it still waits for its servers/);
    const end = await world.answer(base.pull, givenUp, /Not rolled back, and nothing was changed/);
    expect(end).toContain('anna-author cancelled it while it waited for its servers');
    expect((await look((store) => store.locks.queue())).map(({ pull }) => pull)).not.toContain(
      name(base.pull),
    );

    const rollback = await world.say(base.pull, '/doaas rollback');
    const told = await world.answer(base.pull, rollback, /this waits for/);
    expect(told).toContain(`this waits for \`${name(holder.pull)}\`, and is next`);
    // the apply that asked before it makes room
    const behind = await applyShows(both.sha, /place 2/);
    expect(behind.summary).toContain(name(base.pull));
    await world.say(holder.pull, '/doaas rollback');
    await world.answer(base.pull, rollback, /The hosts are as they were before/);
    // what was planned before the rollback holds no more, and that it is so shows who went first
    const stale = await world.check(both.sha, 'doaas/apply', { conclusion: 'neutral' });
    expect(stale.summary).toMatch(/the state of (web-1, )?web-2 has changed since the plan/);
    await world.mergedSoon(last.pull, last.sha);
    expect(await on(1, 'ls /var/tmp/last /var/tmp/both /var/tmp/holder 2>/dev/null')).toBe('/var/tmp/last');
    expect(await on(2, 'ls /var/tmp/base 2>/dev/null; echo nothing')).toBe('nothing');
    const at = (what: string, pull: number) =>
      look(
        async ({ audit }) =>
          (await audit.list({ repository: name(pull).split('#')[0] ?? '', pull })).find(
            (e) => e.what === what,
          )?.seq ?? 0,
      );
    const order = [
      await at('rolled-back', base.pull),
      await at('stale', both.pull),
      await at('confirm', last.pull),
    ];
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order).not.toContain(0);
    for (const { pull } of [holder, both]) await world.github.closePullRequest(world.repo, pull);
    await noLocks();
  });

  it('are given back by what takes a merged change back, though the workflow that began it is ended meanwhile', async () => {
    const begun = '/var/tmp/orphan.undoing';
    const script = {
      check: 'test -e /var/tmp/orphan',
      apply: 'touch /var/tmp/orphan',
      undo: `touch ${begun}; until [ -e /var/tmp/orphan.go ]; do sleep 0.1; done; rm -f /var/tmp/orphan`,
    };
    const { pull, sha } = await approved(
      'orphan',
      marked('orphan', { ...FIRST, scripts: { orphan: script } }),
    );
    await world.mergedSoon(pull, sha);
    const rollback = await world.say(pull, '/doaas rollback');
    await until(async () => ((await on(1, `ls ${begun} 2>/dev/null`)) === '' ? undefined : true), 'the undo');
    const cancel = await world.say(pull, '/doaas cancel');
    await world.answer(pull, cancel, /if it has them already, it goes on to its end/);
    const { owner, name } = world.repo;
    const id = pullWorkflowId({ repository: { owner, name, installationId: 0 }, number: pull });
    await world.engine.temporal().workflow.getHandle(id).terminate('ended by a test');
    await on(1, 'touch /var/tmp/orphan.go');
    await ended(pull, 'rolled-back');
    await noLocks();
    expect(await on(1, 'ls /var/tmp/orphan 2>/dev/null; echo gone')).toBe('gone');
    // nobody is left to say so where it was asked for; whoever asks is told
    await world.answer(pull, rollback, /Taking the merged change back/);
    const status = await world.say(pull, '/doaas status');
    await world.answer(pull, status, /\(rollback\): rolled-back/);
  });

  /** Beside the engine, once it writes nothing itself. */
  const written = async (sql: string, ...values: readonly string[]): Promise<void> => {
    const { store } = world.engine;
    const raw = new Database('file' in store ? store.file : '');
    let refusal = '';
    const write = async () => {
      try {
        raw.prepare(sql).run(...values);
        return true;
      } catch (error) {
        refusal = String(error);
        return undefined;
      }
    };
    await until(write, 'the store to be free', 30, async () => refusal).finally(() => raw.close());
  };
  /** Waiters for every server, as many as there may be. */
  const fillQueue = (): Promise<void> => {
    const pinned = world.hosts.map(({ address, hostKeys: [key = ''] }) => {
      return identityOf({ address, port: 22, hostKeys: [key] });
    });
    return written(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${LOCK_QUEUE_MAX})
       insert into lock_queue (run_id, workflow_id, hosts, asked_at, pull, why)
       select 'filler-' || i, 'filler-' || i, ?, 0, 'acme/other#1', '' from n`,
      JSON.stringify(pinned),
    );
  };

  it.skipIf(isMany())('are refused for good, and that is said, where too many wait for them', async () => {
    const { pull, sha } = await world.open('crowded', marked('crowded'));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await fillQueue();
    try {
      const comment = await world.say(pull, '/doaas apply');
      await world.answer(
        pull,
        comment,
        /Not applied: 10000 runs wait for servers already.*say `\/doaas apply`/,
      );
      const end = await world.check(sha, 'doaas/apply', { conclusion: 'neutral' });
      expect(end.summary).toMatch(/10000 runs wait for servers already.*Nothing was changed/s);
      const { owner, name } = world.repo;
      const runs = await look(({ runs }) => runs.ofPull(`${owner}/${name}`, pull));
      expect(runs.map(({ state }) => state)).toEqual(['cancelled']);
    } finally {
      await written("delete from lock_queue where run_id like 'filler-%'");
    }
    await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull, sha);
  });

  it('sent GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});
