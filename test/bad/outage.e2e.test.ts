import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  type Name = (typeof NAMES)[number] | 'restarted';
  const runs = new Map<Name, { readonly pull: number; readonly sha: string }>();
  let done = '';

  /** Each on a server of its own; what comes later takes the first. */
  const indexOf = (name: Name): number => Math.max(0, (NAMES as readonly Name[]).indexOf(name));
  const on = async (name: Name, script: string): Promise<string> =>
    (await world.hosts[indexOf(name)]?.exec(script))?.stdout.trim() ?? '';
  const of = (name: Name) => runs.get(name) ?? { pull: 0, sha: '' };

  /** Until the effect has begun, which waits for the test. */
  async function begin(name: Name): Promise<{ pull: number; sha: string }> {
    const files = {
      [`${name}.yaml`]: configuration(name, {
        targets: { hosts: [`web-${indexOf(name) + 1}`] },
        scripts: {
          [name]: {
            check: `test -e /var/tmp/${name}.done`,
            apply: `touch /var/tmp/${name}.begun; until [ -e /var/tmp/${name}.go ]; do sleep 0.1; done; date +%s%N >> /var/tmp/${name}.done`,
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

  it('an engine that is started again meanwhile, and so has no token, ends the run all the same', async () => {
    const { pull, sha } = await begin('restarted');
    runs.set('restarted', { pull, sha });
    goAway();
    await world.engine.stop();
    await world.engine.start();
    await on('restarted', 'touch /var/tmp/restarted.go');
    const effect = await until(
      async () => (await on('restarted', 'cat /var/tmp/restarted.done 2>/dev/null')) || undefined,
      'the effect',
      60,
    );
    // it asks who it is, and for a token, and gets no answer
    const before = world.github.requests().length;
    const asks = () =>
      world.github
        .requests()
        .slice(before)
        .some(({ status }) => status === 0);
    await until(async () => (asks() ? true : undefined), 'the engine to ask GitHub', 60);
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
