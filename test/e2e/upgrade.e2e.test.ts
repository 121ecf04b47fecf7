import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../lab/hosts.ts';
import { ENGINE } from '../../scripts/bundle.ts';
import { beforePatches, bundled, type OtherEngine, otherEngine } from '../otherEngine.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** As docs/upgrading.md says: stop the old engine with SIGTERM, start the new one on the same data. */
describe('an engine that is upgraded in the middle of an apply', { timeout: 4 * MINUTES }, () => {
  let older: OtherEngine;
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    older = await otherEngine(beforePatches);
    await bundled(older);
    world = await startWorld({
      engine: 'process',
      main: older.main,
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
  }, 4 * MINUTES);
  afterAll(async () => {
    await world?.close();
    await older?.remove();
  });

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const slow = (name: string) => ({
    [`${name}.yaml`]: configuration(name, {
      files: { [`/etc/doaas-${name}`]: { content: `${name}\n` } },
      scripts: {
        [name]: {
          check: `test -e /var/tmp/${name}.done`,
          apply: `echo begun >> /var/tmp/${name}.begun; until [ -e /root/${name}.go ]; do sleep 0.1; done; echo effect >> /var/tmp/${name}.done`,
        },
      },
    }),
  });
  const approved = async (name: string) => {
    const { pull, sha } = await world.open(name, slow(name));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    return { pull, sha };
  };

  it('finishes that apply with the new engine, each effect once, and goes on with all that waited', async () => {
    const waiting = await approved('waits');
    const { pull, sha } = await approved('during');
    await world.say(pull, '/doaas apply');
    await until(
      async () => ((await on('[ -e /var/tmp/during.begun ] && echo yes')) === 'yes' ? true : undefined),
      'the effect to begin',
      60,
    );
    const unit = await on(
      'systemctl show -p InvocationID --value $(systemctl list-units --no-legend --plain "doaas-*" | cut -d" " -f1)',
    );
    const before = world.engine.pid();
    await world.engine.stop();
    expect((await world.checks(sha)).find(({ name }) => name === 'doaas/apply')?.status).toBe('in_progress');
    await world.engine.start(ENGINE);
    expect(world.engine.pid()).not.toBe(before);
    await on('touch /root/during.go /root/waits.go');

    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 120 });
    expect(apply.title).toMatch(/^Applied 2 changes on 1 server/);
    await world.mergedSoon(pull, sha, 90);
    expect(await on('cat /etc/doaas-during /var/tmp/during.begun /var/tmp/during.done')).toBe(
      'during\nbegun\neffect',
    );
    expect(unit).toMatch(/^[0-9a-f]{32}$/);
    expect(
      await on(`journalctl -q -o verbose -u 'doaas-pr${pull}-*' | sed -n 's/^ *INVOCATION_ID=//p' | sort -u`),
    ).toBe(unit);

    // planned and approved under the old engine; the base has moved since
    await world.answer(waiting.pull, await world.say(waiting.pull, '/doaas status'), /./);
    await world.check(waiting.sha, 'doaas/plan', { conclusion: 'success' });
    await world.say(waiting.pull, '/doaas apply');
    await world.mergedSoon(waiting.pull, waiting.sha, 120);
    expect(await on('cat /var/tmp/waits.done')).toBe('effect');
    expect(world.engine.output()).not.toMatch(/nondetermin/i);
  });
});
