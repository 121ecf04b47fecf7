import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MINUTES } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';

/** A pull request that closes ports, with another server that looks from outside. */
describe('a pull request with a firewall', { timeout: 3 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      hosts: 2,
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const firewall = (spec: Readonly<Record<string, unknown>>): string =>
    JSON.stringify({
      apiVersion: 'doaas/v1',
      kind: 'Firewall',
      metadata: { name: 'shop' },
      spec: { targets: { hosts: ['web-1'] }, ...spec },
    });
  const monitor = { hosts: ['web-2'] };
  const inbound = { metrics: { port: 9100, from: [monitor] } };
  const listen = (port: number): string =>
    `systemd-run -q --unit=listen-${port} systemd-socket-activate -a -l ${port} cat`;

  it('that would cut the engine off is no plan', async () => {
    const management = { from: ['192.0.2.0/24'] };
    const { sha } = await world.open('cut', { 'shop.yaml': firewall({ management }) });
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'failure' });
    expect(plan.summary).toContain("this would cut the engine's own access: the host sees it come from");
    expect(plan.summary).toContain('(Firewall/shop, shop.yaml line 1)');
    const [annotation] = await world.github.listAnnotations(world.repo, plan.id);
    expect(annotation).toMatchObject({ path: 'shop.yaml', annotation_level: 'failure' });
    expect((await world.hosts[0]?.exec('nft list tables'))?.stdout).toBe('');
  });

  it('says who gains and loses what, and is merged once another server has seen it so', async () => {
    const reach = [
      { from: monitor, port: 9100, within: '10s' },
      { from: monitor, port: 3306, expect: 'closed', within: '10s' },
    ];
    await world.hosts[0]?.exec(`${listen(9100)}; ${listen(3306)}`);
    const { pull, sha } = await world.open('shop', { 'shop.yaml': firewall({ inbound, reach }) });
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.summary).toContain(`+ inbound metrics: accept tcp/9100 from ${world.hosts[1]?.address}`);
    expect(plan.summary).toContain('everyone loses everything but tcp/22, tcp/9100');
    expect(plan.summary).toMatch(/listens on tcp\/3306, which nobody will reach any more/);
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull, sha);
    const verify = await world.check(sha, 'doaas/verify', { conclusion: 'success' });
    expect(verify.summary).toContain('9100 open from web-2');
    expect(verify.summary).toContain('3306 closed from web-2');
    expect(verify.summary).toMatch(
      /Read back.*web-1.*in: management [1-9]\d*,.* metrics [1-9]\d*, no rule accepts it [1-9]/s,
    );
  });

  it('that another server does not see as declared is taken back', async () => {
    const before = (await world.hosts[0]?.exec('nft -s list ruleset'))?.stdout;
    const reach = [{ from: monitor, port: 3306, within: '2s' }];
    const { pull, sha } = await world.open('wrong', {
      'shop.yaml': firewall({ inbound: { ...inbound, ssh: { port: 8022 } }, reach }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toContain('3306 open from web-2');
    expect((await world.hosts[0]?.exec('nft -s list ruleset'))?.stdout).toBe(before);
  });
});
