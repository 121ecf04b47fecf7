import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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
    const end = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 120 });
    await world.github.closePullRequest(world.repo, pull);
    return end;
  };

  it('counts a silent one of the batch whose turn is only after the first', async () => {
    const end = await losing('beside', [3, 4], 2);
    expect(end.summary).toMatch(
      /at most 2 may be unavailable, and web.*3, web.*4 failed or cannot be reached/,
    );
    expect(await on(2, 'ls /var/tmp')).not.toContain('beside');
    expect(await on(1, 'ls /var/tmp')).not.toMatch(/beside$/m);
  });

  it('takes none from the silent one itself, which fails at its turn', async () => {
    const end = await losing('own', [2], 1);
    expect(end.summary).not.toContain('may be unavailable');
    expect(end.title).toMatch(/web.*2/);
    expect(await on(3, 'ls /var/tmp')).not.toContain('own');
  });
});
