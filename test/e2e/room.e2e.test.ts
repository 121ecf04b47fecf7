import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { applyShows } from '../applyShows.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Servers that fall silent once a run has begun, where only so many may be unavailable and nobody is waited for. */
describe('room beside servers that are down', { timeout: 4 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      hosts: 4,
      environment: { DOAAS_HOST_OUTAGE_SECONDS: '20' },
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
  }, 4 * MINUTES);
  const off = new Set<number>();
  afterEach(async () => {
    await Promise.all([...off].map((n) => world.hosts[n - 1]?.start()));
    off.clear();
  });
  afterAll(() => world?.close());

  const on = async (n: number, script: string): Promise<string> =>
    ((await world.hosts[n - 1]?.exec(script))?.stdout ?? '').trim();

  /** Servers without power once the first of them, the canary, has begun. */
  const losing = async (name: string, down: readonly number[], maxUnavailable: number) => {
    const { pull, sha } = await world.open(name, {
      [`${name}.yaml`]: configuration(name, {
        scripts: {
          [name]: {
            check: `test -e /var/tmp/${name}`,
            apply: `touch /var/tmp/${name}.begun; while test -e /var/tmp/lingers; do sleep 0.1; done; touch /var/tmp/${name}`,
            undo: `rm -f /var/tmp/${name}`,
          },
        },
        rollout: { batches: '50%', maxUnavailable },
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await on(1, 'touch /var/tmp/lingers');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const begun = async () => ((await on(1, `ls /var/tmp/${name}.begun`)) === '' ? undefined : true);
    await until(begun, 'the canary', 60);
    for (const n of down) {
      off.add(n);
      await world.hosts[n - 1]?.kill();
    }
    await on(1, 'rm /var/tmp/lingers');
    return { pull, end: await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 120 }) };
  };

  it('never skips one that an earlier wave has changed: it fails, and is put back', async () => {
    const wave = (name: string, apply: string, more: Readonly<Record<string, unknown>> = {}) =>
      JSON.stringify({
        ...JSON.parse(
          configuration(name, {
            targets: { hosts: ['web-3', 'web-4'] },
            scripts: {
              [name]: { check: `test -e /var/tmp/${name}`, apply, undo: `rm -f /var/tmp/${name}` },
            },
            rollout: { unreachable: 'skip', probes: 'batch' },
          }),
        ),
        ...more,
      });
    const lingering =
      'touch /var/tmp/earlier.begun; while test -e /var/tmp/lingers; do sleep 0.1; done; touch /var/tmp/earlier';
    const later = wave('later', 'touch /var/tmp/later', { dependsOn: ['Configuration/earlier'] });
    const { pull, sha } = await world.open('half', {
      'half.yaml': `${wave('earlier', lingering)}\n---\n${later}\n`,
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await on(4, 'touch /var/tmp/lingers');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const begun = async () => ((await on(4, 'ls /var/tmp/earlier.begun')) === '' ? undefined : true);
    await until(begun, 'the second server', 60);
    off.add(3);
    await world.hosts[2]?.kill();
    await on(4, 'rm /var/tmp/lingers');
    await applyShows(world, sha, /rolling back/i, 120);
    await world.hosts[2]?.start();
    off.delete(3);
    const end = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 120 });
    expect(end.title).toMatch(/; 2 servers restored as before$/);
    for (const n of [3, 4]) expect(await on(n, 'ls /var/tmp')).not.toMatch(/^(earlier|later)$/m);
    expect(await world.merged(pull)).toBe(false);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('counts a silent one of the batch whose turn is only after the first', async () => {
    const { pull, end } = await losing('beside', [3, 4], 2);
    await world.github.closePullRequest(world.repo, pull);
    expect(end.summary).toMatch(
      /at most 2 may be unavailable, and web.*3, web.*4 failed or cannot be reached/,
    );
    expect(await on(2, 'ls /var/tmp')).not.toContain('beside');
    expect(await on(1, 'ls /var/tmp')).not.toMatch(/beside$/m);
  });

  it('takes none from the silent one itself, which fails at its turn', async () => {
    const { pull, end } = await losing('own', [2], 1);
    expect(end.summary).not.toContain('may be unavailable');
    expect(end.title).toMatch(/web.*2/);
    expect(await on(3, 'ls /var/tmp')).not.toContain('own');
    // what is held stays locked until a person has looked
    const unlock = await world.say(pull, '/doaas unlock');
    await world.answer(pull, unlock, /is free now/);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('leaves out of the rest of a batch who fails in the proof of a part of it, and was put back', async () => {
    const wave = (name: string, apply: string, spec: Readonly<Record<string, unknown>> = {}) =>
      configuration(name, {
        scripts: { [name]: { check: `test -e /var/tmp/${name}`, apply, undo: `rm -f /var/tmp/${name}` } },
        rollout: { canary: 0, batches: 3, maxUnavailable: 3, failureBudget: 2 },
        ...spec,
      });
    const lower = wave('lower', 'test ! -e /var/tmp/refuses && touch /var/tmp/lower', {
      probes: [{ command: ['test', '!', '-e', '/var/tmp/bad'], within: '10s' }],
    });
    const lingering =
      'touch /var/tmp/upper.begun; while test -e /var/tmp/lingers; do sleep 0.1; done; touch /var/tmp/upper';
    const upper = JSON.stringify({
      ...JSON.parse(wave('upper', lingering)),
      dependsOn: ['Configuration/lower'],
    });
    const { pull, sha } = await world.open('parts', { 'parts.yaml': `${lower}\n---\n${upper}\n` });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await on(4, 'touch /var/tmp/refuses'); // so that two of the three have room in the later wave
    await on(1, 'touch /var/tmp/lingers');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const begun = async () => ((await on(1, 'ls /var/tmp/upper.begun')) === '' ? undefined : true);
    await until(begun, 'the later wave', 60);
    await on(3, 'touch /var/tmp/bad');
    await on(1, 'rm /var/tmp/lingers');
    const end = await world.check(sha, 'doaas/apply', { conclusion: 'neutral', seconds: 120 });
    expect(end.title).toMatch(/; without web-4 and web-3$/);
    for (const n of [1, 2]) expect(await on(n, 'ls /var/tmp')).toMatch(/^upper$/m);
    expect(await on(3, 'ls /var/tmp')).not.toMatch(/^(lower|upper|upper\.begun)$/m);
    await world.mergedSoon(pull);
  });
});
