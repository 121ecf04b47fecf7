import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TASK_QUEUE } from '../../engine/activities/signalPull.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';

/** As Debian's security tracker says it; the installed version has no epoch of 9. */
const OPENSSH = {
  'CVE-2099-0001': { releases: { bookworm: { status: 'resolved', fixed_version: '9:1', urgency: 'high' } } },
};

/** A pull request that closes ports, with another server that looks from outside. */
describe('a pull request with a firewall', { timeout: 3 * MINUTES }, () => {
  let world: World;
  let list: Server;
  beforeAll(async () => {
    list = createServer((_, res) => res.end(JSON.stringify({ openssh: OPENSSH }))).listen(0, '127.0.0.1');
    await once(list, 'listening');
    world = await startWorld({
      hosts: 2,
      environment: { DOAAS_CVE_URL: `http://127.0.0.1:${(list.address() as AddressInfo).port}/` },
      files: (hosts) => ({ 'servers.yaml': withIpv6(serverYaml(hosts), hosts) }),
    });
    for (const [n, host] of world.hosts.entries())
      await host.exec(
        `ip addr add ${ipv6(n)}/64 dev $(ip -o -4 addr show scope global | cut -d' ' -f2) nodad`,
      );
    // something to mend that only the server itself can say
    await world.hosts[1]?.exec('touch /run/reboot-required');
  }, 3 * MINUTES);
  afterAll(async () => {
    list?.close();
    await world?.close();
  });

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
    for (const address of [world.hosts[0]?.address, ipv6(0)]) {
      expect(verify.summary).toContain(`${address}:9100 open from web-2`);
      expect(verify.summary).toContain(`${address}:3306 closed from web-2`);
    }
    expect(verify.summary).toMatch(
      /Read back.*web-1.*in: management [1-9]\d*,.* metrics [1-9]\d*, no rule accepts it [1-9]/s,
    );
    // by itself, of the commit that the merge made
    const uploaded = await until(async () => world.github.analyses(world.repo).at(-1), 'an upload', 90);
    expect(uploaded).toMatchObject({ ref: 'refs/heads/main', errors: [] });
    expect(uploaded.commit).toBe(await world.github.branchSha(world.repo, 'main'));
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

  it('and hardening is reported when asked, and stands in GitHub’s list of alerts', async () => {
    const waivers = { 'ssh-use-dns': { reason: 'a batch user', owner: 'kate', expires: '2020-01-31' } };
    const base = JSON.stringify({
      apiVersion: 'doaas/v1',
      kind: 'Hardening',
      metadata: { name: 'base' },
      spec: { targets: { hosts: ['web-1'] }, waivers },
    });
    const tip = await world.github.push(world.repo, 'main', { 'base.yaml': base });
    await world.hosts[0]?.exec('nft delete table inet doaas');
    const { pull } = await world.open('asks', { 'README.md': 'asks\n' });
    const denied = await world.say(pull, '/doaas security', world.github.accounts.reader);
    await world.answer(pull, denied, /needs write access/);
    const comment = await world.say(pull, '/doaas security');
    const report = await world.answer(pull, comment, /### Security of 2 servers/, 120);
    expect(report).toContain(`compared with \`${tip.slice(0, 8)}\``);
    expect(report).toMatch(/Without a Hardening document: web-2/);
    expect(report).toMatch(/\| tcp\/9100 \| \S* \| open, as declared \|/);
    expect(report).toMatch(/\| tcp\/3306 \| \S* \| \*\*open, and not declared\*\* \|/);
    expect(report).toMatch(/\| fd77::1 \| tcp\/3306 \| \S* \| \*\*open, and not declared\*\* \|/);
    expect(report).toMatch(/`ssh-[a-z-]+` \| .* \| `base.yaml:1` \|/);
    expect(report).toContain('`ssh-use-dns` is waived by kate, **over since 2020-01-31**');
    expect(report).toMatch(/\| `CVE-2099-0001` \| openssh \| 2 \| 0 \| 0 \|/);
    expect(report).toMatch(/Uploaded for code scanning: \d+ findings/);
    const analysis = world.github.analyses(world.repo).at(-1);
    expect(analysis).toMatchObject({ commit: tip, ref: 'refs/heads/main', errors: [] });
    const rules = JSON.stringify(analysis?.sarif);
    for (const rule of ['exposure/undeclared-port', 'exposure/no-firewall', 'hardening/expired-waiver'])
      expect(rules).toContain(`"ruleId":"${rule}"`);
  });

  it('is uploaded by the clock as well; without the permission that does no harm', async () => {
    await world.github.setAppPermissions({ security_events: 'none' });
    const { pull } = await world.open('asks-again', { 'README.md': 'again\n' });
    const comment = await world.say(pull, '/doaas security');
    const missing = /Not uploaded for code scanning: .*"Code scanning alerts: Read and write"/;
    await world.answer(pull, comment, missing, 120);
    await world.github.setAppPermissions({ security_events: 'write' });
    const { installationId } = world.github;
    const before = world.github.analyses(world.repo).length;
    await world.engine.temporal().workflow.execute('drift', {
      taskQueue: TASK_QUEUE,
      workflowId: 'drift-by-the-clock',
      args: [{ ...world.repo, installationId }],
    });
    expect(world.github.analyses(world.repo)).toHaveLength(before + 1);
  });

  it('keeps the alerts of a server that does not answer', async () => {
    const web2 = world.hosts[1];
    const alerts = () => {
      const { sarif } = world.github.analyses(world.repo).at(-1) ?? {};
      const [run] = (sarif as { readonly runs: readonly [{ readonly results: readonly Alert[] }] }).runs;
      return run.results.filter(({ message }) => /web-2 (among|waits for)/.test(message.text));
    };
    const prints = () => alerts().map((alert) => alert.partialFingerprints.primaryLocationLineHash);
    const before = prints();
    expect(before).toHaveLength(2);
    await web2?.cut();
    const { pull } = await world.open('asks-of-the-dead', { 'README.md': 'dead\n' });
    const report = await world.answer(
      pull,
      await world.say(pull, '/doaas security'),
      /### Security of 2 servers/,
      120,
    );
    expect(report).toMatch(/\*\*Not read\*\*, so they stand below as they were seen last.*\n\n- web-2: /);
    expect(report).toMatch(/<summary>web-2, as of 20.* UTC: no Hardening document, no Firewall document/);
    // the engine looks at web-1 then, and has no way to fd77::1: its open port stays, too
    expect(report).toMatch(
      /Uploaded for code scanning: \d+ findings stand under .* Of all, 2 could not be looked at again/,
    );
    expect(prints()).toEqual(before);
    const [firewall, reboot] = alerts().map(({ message }) => message.text);
    expect(firewall).toMatch(/^No Firewall document has web-2 .* As of 20.* UTC: web-1 reaches tcp\/22/);
    expect(reboot).toMatch(/^As of 20.* UTC: web-2 waits for a reboot/);
    expect(world.github.analyses(world.repo).at(-1)?.errors).toEqual([]);
    await web2?.heal();
    const again = await world.say(pull, '/doaas security');
    const whole = await world.answer(pull, again, /### Security of 2 servers/, 120);
    expect(whole).not.toContain('**Not read**');
    expect(prints()).toEqual(before);
    expect(alerts().filter(({ message }) => message.text.includes('As of'))).toEqual([]);
  });
});

interface Alert {
  readonly message: { readonly text: string };
  readonly partialFingerprints: { readonly primaryLocationLineHash: string };
}

function ipv6(n: number): string {
  return `fd77::${n + 1}`;
}

/** Servers that others reach over both families. */
function withIpv6(yaml: string, hosts: readonly LabHost[]): string {
  return hosts.reduce(
    (text, { address }, n) =>
      text.replace(`{address: ${address},`, `{address: ${address}, addresses: [${address}, "${ipv6(n)}"],`),
    yaml,
  );
}
