import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../engine/store/store.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** For an hour of it as in docs/benchmarks.md; minutes on top of what the test needs. */
const LONGER = Number(process.env.DOAAS_TEST_OUTAGE_MINUTES ?? 0) * 60_000;

/**
 * All of GitHub is away, API and git, from the middle of three applies on, each on a server of its own. For how long does not matter,
 * as workflows/outage.test.ts shows of everything that waits for it; so it is short here unless asked otherwise.
 */
describe('while GitHub is away', { timeout: 3 * MINUTES }, () => {
  let world: World;
  beforeAll(
    async () => {
      world = await startWorld({ hosts: 3, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
      // what they said when GitHub went is not enough for a merge
      await world.github.protect(world.repo, ['doaas/apply', 'doaas/verify']);
      for (const name of NAMES) runs.set(name, await begin(name));
      goAway();
      for (const name of NAMES) await on(name, `touch /var/tmp/${name}.go`);
      for (const name of NAMES) await mergeIsTried(name);
      if (LONGER > 0) await pause(LONGER);
      // as after the hour for which one is good: what the engine holds is worth nothing when GitHub is back
      world.github.expireTokens();
      await world.github.closePullRequest(world.repo, of('closed').pull);
      await world.github.push(world.repo, 'pushed', { 'README.md': '# more\n' });
      done = await on('stays', 'cat /var/tmp/stays.done');
      world.github.faults.clear();
    },
    4 * MINUTES + LONGER,
  );
  afterAll(() => world?.close());

  const NAMES = ['stays', 'closed', 'pushed'] as const;
  /** Two more, on the servers of the first two. */
  const LATER = ['restarted', 'undone'] as const;
  type Name = (typeof NAMES)[number] | (typeof LATER)[number];
  const runs = new Map<Name, { readonly pull: number; readonly sha: string }>();
  let done = '';

  const indexOf = (name: Name): number =>
    Math.max(...[NAMES, LATER].map((names: readonly Name[]) => names.indexOf(name)));
  const on = async (name: Name, script: string): Promise<string> =>
    (await world.hosts[indexOf(name)]?.exec(script))?.stdout.trim() ?? '';
  const of = (name: Name) => runs.get(name) ?? { pull: 0, sha: '' };

  /** Until the effect has begun, which waits for the test. `fails`: once it has been done. */
  async function begin(name: Name, fails = false): Promise<{ pull: number; sha: string }> {
    const files = {
      [`${name}.yaml`]: configuration(name, {
        targets: { hosts: [`web-${indexOf(name) + 1}`] },
        scripts: {
          [name]: {
            check: `test -e /var/tmp/${name}.done`,
            apply: `touch /var/tmp/${name}.begun; until [ -e /var/tmp/${name}.go ]; do sleep 0.1; done; date +%s%N >> /var/tmp/${name}.done${fails ? '; false' : ''}`,
            undo: `rm -f /var/tmp/${name}.*`,
          },
        },
      }),
    };
    const { pull, sha } = await world.open(name, files);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const isThere = () => on(name, `ls /var/tmp/${name}.begun 2>/dev/null`);
    await until(async () => ((await isThere()) === '' ? undefined : true), `${name} to begin`);
    return { pull, sha };
  }

  /** Some requests are answered with an error, the others not at all. */
  const goAway = (): void => {
    world.github.faults.add({ path: /check-runs|info/, times: 1_000_000, respond: { status: 503 } });
    world.github.faults.add({ times: 1_000_000, respond: 'drop' });
  };

  /** The pull request is read for nothing else then. */
  async function mergeIsTried(name: Name): Promise<void> {
    const path = `/pulls/${of(name).pull}`;
    const reads = () =>
      world.github.requests().filter((each) => each.path.endsWith(path) && each.status === 0).length;
    await until(async () => (reads() > 0 ? true : undefined), `the merge of ${name} to be tried`, 120);
  }

  /** So says the store; the merge, which is next, asks for a token first. */
  async function isVerified(pull: number): Promise<boolean> {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      const [run] = await store.runs.ofPull(`${world.repo.owner}/${world.repo.name}`, pull);
      return JSON.stringify(run?.detail).includes('"verify":{"state":"verified"');
    } finally {
      await store.close();
    }
  }

  it('a run goes on to its end on the servers, and is merged and shown once GitHub is back', async () => {
    const { pull, sha } = of('stays');
    await world.mergedSoon(pull, sha, 90);
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    expect(apply.title).toMatch(/^Applied 1 change on 1 server/);
    await world.check(sha, 'doaas/verify', { conclusion: 'success' });
    expect(done).toMatch(/^\d+$/);
    expect(await on('stays', 'cat /var/tmp/stays.done')).toBe(done);
    const names = (await world.checks(sha)).map(({ name }) => name).sort();
    expect(names).toEqual(['doaas/apply', 'doaas/plan', 'doaas/validate', 'doaas/verify']);
    const saysSo = async () => ((await world.comment(pull)).includes('Applied 1 change') ? true : undefined);
    await until(saysSo, 'the comment to say so');
  });

  it.each(['closed', 'pushed'] as const)(
    'a pull request that was %s meanwhile is not merged, and its servers are put back',
    async (name) => {
      const { pull, sha } = of(name);
      const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 90 });
      expect(apply.title).toMatch(/GitHub refused the merge: .*; 1 server restored as before$/);
      expect(await on(name, `ls /var/tmp/${name}.done 2>/dev/null`)).toBe('');
      expect(await world.merged(pull)).toBe(false);
    },
  );

  it('an engine that is started again meanwhile, without token and mirror, ends runs on the servers all the same', async () => {
    const [{ pull, sha }] = await Promise.all([begin('restarted'), begin('undone', true)]);
    runs.set('restarted', { pull, sha });
    goAway();
    await world.engine.restartAfresh();
    for (const name of LATER) await on(name, `touch /var/tmp/${name}.go`);
    await until(
      async () => ((await on('undone', 'ls /var/tmp/undone.* 2>/dev/null')) === '' ? true : undefined),
      'the one that failed to be put back',
      60,
    );
    await until(
      async () => ((await isVerified(pull)) ? true : undefined),
      'the other one to be verified',
      60,
    );
    const effect = await on('restarted', 'cat /var/tmp/restarted.done');
    expect(await world.merged(pull)).toBe(false);
    world.github.faults.clear();
    await world.mergedSoon(pull, sha, 90);
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    expect(apply.title).toMatch(/^Applied 1 change on 1 server/);
    await world.check(sha, 'doaas/verify', { conclusion: 'success' });
    expect(effect).toMatch(/^\d+$/);
    expect(await on('restarted', 'cat /var/tmp/restarted.done')).toBe(effect);
  });
});
