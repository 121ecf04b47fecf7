import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BRIDGE } from '../../lab/settings.ts';
import { labTransport, resolvedHost, testDocument } from '../../test/hostHarness.ts';
import { until } from '../../test/until.ts';
import type { FirewallState } from '../facts/firewall.ts';
import { readHost, targetOf } from '../hosts/readHost.ts';
import { rulesetText } from '../kinds/firewall/ruleset.ts';
import type { DesiredFirewall } from '../kinds/firewall/spec.ts';
import { anyFirewall } from '../kinds/firewall/testing/arbitrary.ts';
import { CLOSED, ports, RULE } from '../kinds/firewall/testing/spec.ts';
import { resolvedHardening } from '../kinds/hardening/testing/spec.ts';
import type { ResolvedDocument } from '../spec/resolution.ts';
import { useTestHost } from './testing/cycle.ts';

/** Operations: firewall.set */
describe('a firewall on a real host', () => {
  const t = useTestHost();
  const set = (script: string) => t.outside(`set -eu; ${script}`);
  const wanted = (more: Partial<DesiredFirewall>): readonly ResolvedDocument[] => {
    const desired = { ...CLOSED, ...more };
    const script = t.harness().payload(rulesetText(desired));
    return [testDocument('Firewall', { desired, script, probes: [] })];
  };
  const WEB = { inbound: { web: { ...RULE, ports: ports('80/tcp', '8000-8010/tcp') } } };
  /** Rules of others with their counters, which a flush or a reload would set back. */
  const others = () =>
    t.outside(
      'for t in "ip filter" "ip nat" "inet f2b-table" "ip others"; do nft list table $t 2>/dev/null; done; nft list tables | grep -v doaas',
    );

  it('lets in what is declared and the engine, nothing else; leaves the tables of others alone; goes without a trace', async () => {
    await set(FOREIGN);
    await listening(t, [80, 9100]);
    await opens(t.host().address, 80);
    const v6 = await linkLocal(t);
    await opens(v6, 9100);
    const before = await others();
    await t.cycle(wanted(WEB), async () => {
      await opens(t.host().address, 80);
      expect(await reaches(t.host().address, 9100)).toBe('dropped');
      await opens(v6, 80);
      expect(await reaches(v6, 9100)).toBe('dropped');
      expect(withoutCounts(await others())).toBe(withoutCounts(before));
      const { findings } = await t.harness().plan(wanted(WEB));
      expect(findings.find(({ readBack }) => readBack === true)?.message).toMatch(
        /^packets counted in the \d+ (seconds|minutes) since the rules were loaded: in: management \d+, invalid \d+, web [1-9]\d*, no rule accepts it [1-9]/,
      );
      expect(await t.outside('nft -a list table ip others')).toMatch(/counter packets [1-9]/);
    });
    await opens(t.host().address, 9100);
    expect((await t.outside('nft list tables')).split('\n').sort().join()).toBe(
      ',table inet f2b-table,table ip filter,table ip nat,table ip others',
    );
    await set(
      'for t in $(nft list tables | cut -d" " -f2- | tr " " ,); do nft delete table $(echo $t | tr , " "); done',
    );
  });

  it('sees who logs in through sudo; every ruleset that a document can ask for is taken by nft', async () => {
    const resolved = resolvedHost(t.host(), wanted(WEB));
    const server = { ...resolved.server, user: 'deploy', become: 'sudo' } as const;
    const transport = labTransport(t.host());
    await set(around(t.host().port));
    try {
      const readings = await transport.withSession(targetOf(server), (session) =>
        readHost(session, resolved, { repository: 'test/infra' }),
      );
      const state = readings.get('firewall:inet')?.state as FirewallState;
      expect(state.login).toEqual({ address: expect.stringMatching(/^10\.77\./), port: t.host().port });
      expect(state.listeners).toContainEqual({ port: t.host().port, program: 'sshd' });
      expect(state.udp).toEqual([
        { port: 4789, program: '' },
        { port: 5140, program: 'systemd-socket-' },
        { port: 51_820, program: 'wireguard-go' },
      ]);
      expect([...state.closing].sort()).toEqual(['inet own input', 'ip filter INPUT']);
      expect(state.ephemeral).toEqual({ first: 33_000, last: 60_000 });
      expect(state.wireGuards).toEqual([{ name: 'wg0', port: 51_820, kept: false }]);
      expect(state.vpn).toBe('wg0');
      const { findings } = await t.harness().plan(wanted(WEB));
      expect(findings.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([
        expect.stringMatching(/its login comes by wg0, a VPN that ends on the host, .* \(udp\/51820\)/),
      ]);
    } finally {
      await transport.close();
      await set(NOT_AROUND);
    }
    const rulesets = fc.sample(anyFirewall, { numRuns: 30, seed: 7 }).map(rulesetText);
    for (const text of rulesets) await set(`nft -c -f - <<'END'\n${text}\nEND`);
  });

  it('comes back at boot and after whoever flushes everything; a rule by hand is drift; what left the YAML is gone', async () => {
    await t.unchanged(async () => {
      await t.applied(wanted(WEB));
      await t.host().stop();
      await t.host().start();
      expect(await reaches(t.host().address, 9100)).toBe('dropped');
      expect((await t.harness().plan(wanted(WEB))).steps).toEqual([]);
      await set(`systemctl start nftables; systemctl reload nftables; ${UNTIL_BACK}`);
      expect((await t.harness().plan(wanted(WEB))).steps).toEqual([]);
      await set(`systemctl restart nftables; ${UNTIL_BACK}`);
      expect((await t.harness().plan(wanted(WEB))).steps).toEqual([]);
      await set(
        'systemctl stop nftables; systemctl start doaas-firewall; nft add rule inet doaas input tcp dport 9100 accept',
      );
      const drifted = await t.harness().plan(wanted(WEB));
      expect(drifted.steps.map(({ diff }) => diff)).toEqual(['- by hand: tcp dport 9100 accept']);
      await t.harness().applyPlan(drifted);
      await t.applied([]);
      expect(await t.outside('nft list tables')).toBe('');
    });
  });

  it('limits each sender, and refuses a ruleset that nft does not take before anything is changed', async () => {
    const limited = { ...RULE, ports: ports('9100/tcp'), rateLimit: { packets: 2, per: 'minute' } } as const;
    await listening(t, [9100]);
    await t.cycle(wanted({ inbound: { metrics: limited } }), async () => {
      const tries: string[] = [];
      for (let n = 0; n < 7; n++) tries.push(await reaches(t.host().address, 9100, n < 5 ? 10_000 : 300));
      expect(tries).toEqual([...Array<string>(5).fill('open'), 'dropped', 'dropped']);
      expect((await t.harness().plan(wanted({ inbound: { metrics: limited } }))).steps).toEqual([]);
    });
    await t.unchanged(async () => {
      const result = await t.harness().apply(wanted({ inbound: { a: { ...RULE, from: ['no address'] } } }));
      expect(result.end).toBe('failed');
      expect(result.output).toContain('nft does not accept the ruleset, so nothing was changed');
      await t.undone(result.run);
    });
  });

  it('is applied, changed and taken back beside the fail2ban of Hardening, which bans on', async () => {
    const { controls, ...spec } = resolvedHardening({ profile: 'strict' });
    const own = controls.filter(({ id }) => id.startsWith('fail2ban'));
    const fail2ban = testDocument('Hardening', { ...spec, controls: own });
    await t.applied([fail2ban]);
    /** What fail2ban says is banned, and what its table in the kernel holds. */
    const bans = async () =>
      (await t.outside('fail2ban-client get sshd banip; nft list table inet f2b-table')).replaceAll(
        /[\s,]+/g,
        ' ',
      );
    await t.outside('fail2ban-client set sshd banip 192.0.2.77 2001:db8::77');
    const before = await bans();
    expect(before).toMatch(
      /^192.0.2.77 2001:db8::77 table inet f2b-table .*elements = { 192.0.2.77 }.*elements = { 2001:db8::77 }/,
    );
    const applied = await t.applied([fail2ban, ...wanted(WEB)]);
    expect(await bans()).toBe(before);
    await t.outside('fail2ban-client set sshd banip 192.0.2.78');
    const more = await bans();
    expect(more).toMatch(/elements = { 192.0.2.77 192.0.2.78 }/);
    const changed = await t.applied([fail2ban, ...wanted({})]);
    expect(await bans()).toBe(more);
    await t.undone(changed.run);
    await t.outside('systemctl restart fail2ban; fail2ban-client ping');
    await until(
      async () => ((await bans()) === more ? true : undefined),
      'fail2ban to ban again whom it had banned',
    );
    expect((await t.harness().plan([fail2ban, ...wanted(WEB)])).steps).toEqual([]);
    await t.undone(applied.run);
    expect(await bans()).toBe(more);
    expect(await t.outside('nft list tables')).toBe('table inet f2b-table\n');
  });
});

/**
 * Tables of others as they make them: what dockerd 20.10 does with iptables-nft at its start and for a published port, fail2ban's
 * action "nftables" with one address banned, and somebody's own.
 */
const FOREIGN = `apt-get install -y -qq --no-install-recommends iptables > /dev/null 2>&1
iptables-restore --noflush <<'END'
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
END
nft -f - <<'END'
add table inet f2b-table
add chain inet f2b-table f2b-chain { type filter hook input priority -1; }
add set inet f2b-table addr-set-sshd { type ipv4_addr; }
add element inet f2b-table addr-set-sshd { 192.0.2.77 }
add rule inet f2b-table f2b-chain tcp dport 22 ip saddr @addr-set-sshd reject with icmp type port-unreachable
add table ip others
add chain ip others input { type filter hook input priority 10; policy accept; }
add rule ip others input tcp dport 80 counter accept comment "theirs"
END
`;

/**
 * Sockets of the kernel and of a program that others reach, and one that only the host itself does; a WireGuard in which the login seems to
 * end, since it has the host's address as well; tables of others that let in nothing but SSH, and one that only denies.
 */
const around = (
  ssh: number,
) => `apt-get install -y -qq --no-install-recommends iptables wireguard-go wireguard-tools > /dev/null 2>&1
[ -e /dev/net/tun ] || { mkdir -p /dev/net; mknod /dev/net/tun c 10 200; }
wireguard-go wg0 > /dev/null 2>&1
wg genkey > /root/wg; wg set wg0 listen-port 51820 private-key /root/wg peer "$(wg genkey | wg pubkey)" allowed-ips 10.9.9.2/32
ip addr add "$(ip -o -4 addr show scope global | awk '{ sub("/.*", "", $4); print $4; exit }')/32" dev wg0
ip link set wg0 up
sysctl -qw net.ipv4.ip_local_port_range="33000 60000"
ip link add vx0 type vxlan id 7 dstport 4789 dev "$(ip -o -4 addr show scope global | awk '{ print $2; exit }')"
ip link set vx0 up
for a in 5140 127.0.0.1:5141; do systemd-run -q --unit="udp-$a" systemd-socket-activate -d -l "$a" cat; done
iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -p tcp --dport ${ssh} -j ACCEPT; iptables -A INPUT -m comment --comment "the rest" -j REJECT
nft -f - <<'END'
add table inet own
add chain inet own input { type filter hook input priority 10; policy drop; }
add rule inet own input iifname lo accept
add rule inet own input tcp dport ${ssh} accept
add chain inet own early { type filter hook input priority -10; policy accept; }
add rule inet own early ip saddr 192.0.2.7 counter drop
END
n=0; until [ "$(ss -Hlun '( sport = :5140 or sport = :5141 )' | grep -c .)" = 2 ]; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.05; done
`;
const NOT_AROUND = `sysctl -qw net.ipv4.ip_local_port_range="32768 60999"
nft delete table inet own; nft delete table ip filter
ip link del vx0
ip link del wg0
systemctl stop udp-5140 udp-127.0.0.1:5141
`;

/** systemd runs the job of our unit after that of nftables.service, and waits for the latter only. */
const UNTIL_BACK =
  'n=0; until nft list table inet doaas > /dev/null 2>&1; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.05; done';

function withoutCounts(text: string): string {
  return text.replaceAll(/packets \d+ bytes \d+/g, '');
}

/** One connection from outside. A dropped one gets no answer at all within the time. */
async function reaches(host: string, port: number, timeout = 1_500): Promise<'open' | 'refused' | 'dropped'> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout });
    const end = (result: 'open' | 'refused' | 'dropped') => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end('open'));
    socket.once('timeout', () => end('dropped'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'refused' : 'dropped'),
    );
  });
}

/** A busy machine answers late, and an IPv6 address only once nobody else has claimed it. */
async function opens(host: string, port: number): Promise<void> {
  const found = async () => ((await reaches(host, port)) === 'open' ? true : undefined);
  await until(found, `${host} to let in port ${port}`);
}

/** The host's own IPv6 address, as this machine says it. */
async function linkLocal(t: ReturnType<typeof useTestHost>): Promise<string> {
  const shown = await t.outside("ip -6 -o addr show scope link | awk '{ print $4 }'");
  return `${shown.trim().replace(/\/.*$/s, '')}%${BRIDGE}`;
}

async function listening(t: ReturnType<typeof useTestHost>, on: readonly number[]): Promise<void> {
  for (const port of on)
    await t.outside(
      `systemd-run -q --unit=listen-${port} systemd-socket-activate -a -l ${port} cat
n=0; until ss -Hltn "sport = :${port}" | grep -q .; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.05; done`,
    );
}
