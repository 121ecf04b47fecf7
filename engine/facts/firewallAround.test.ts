import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { AROUND_FUNCTIONS, aroundOf, CLOSING_FUNCTIONS, LISTENERS_MAX } from './firewallAround.ts';

/** What a function of the script prints, and whether it ends well, of this input. */
function printed(call: string, input: string): { readonly lines: readonly string[]; readonly ok: boolean } {
  const script = `${CLOSING_FUNCTIONS.text}\n${AROUND_FUNCTIONS.text}\n${call} && echo ok || echo not`;
  const lines = execFileSync('sh', ['-uc', script], { input }).toString().trimEnd().split('\n');
  return { lines: lines.slice(0, -1), ok: lines.at(-1) === 'ok' };
}

describe('what waits for packets', () => {
  /** ss(8) of iproute2 6.1 on Debian 12 with named, chronyd, wg0 and a VXLAN. */
  const SS = `UNCONN 0      0         10.0.0.5:53         0.0.0.0:*    users:(("named",pid=702,fd=31),("named",pid=702,fd=32))
UNCONN 0      0        127.0.0.1:53         0.0.0.0:*    users:(("named",pid=702,fd=24))
UNCONN 0      0    127.0.0.53%lo:53         0.0.0.0:*    users:(("systemd-resolve",pid=7,fd=24))
UNCONN 0      0          0.0.0.0:51820      0.0.0.0:*
UNCONN 0      0    10.0.0.5%eth0:68         0.0.0.0:*    users:(("systemd-network",pid=9,fd=24))
UNCONN 0      0        127.0.0.1:323        0.0.0.0:*    users:(("chronyd",pid=650,fd=5))
UNCONN 0      0            [::1]:323           [::]:*    users:(("chronyd",pid=650,fd=6))
UNCONN 0      0          0.0.0.0:8472       0.0.0.0:*
UNCONN 0      0             [::]:51820         [::]:*
`;

  it('is told once a port, of the lowest so many, but for what only the host itself reaches', () => {
    expect(printed('doaas_waiting udp', SS).lines).toEqual([
      '~ udp 53 named',
      '~ udp 68 systemd-network',
      '~ udp 8472 ',
      '~ udp 51820 ',
    ]);
    const many = Array.from({ length: 500 }, (_, n) => `UNCONN 0 0 0.0.0.0:${9000 - n} 0.0.0.0:*`);
    const { lines } = printed('doaas_waiting udp', many.join('\n'));
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([
      LISTENERS_MAX + 1,
      '~ udp 8501 ',
      `~ udp-more ${500 - LISTENERS_MAX}`,
    ]);
  });
});

it('counts what listens beyond those that it tells', () => {
  const listening = (count: number) =>
    Array.from({ length: count }, (_, n) => `LISTEN 0 128 0.0.0.0:${n + 1} 0.0.0.0:*`).join('\n');
  const of = (count: number) => aroundOf(printed('doaas_waiting listen', listening(count)).lines);
  expect(of(LISTENERS_MAX)).not.toHaveProperty('unlisted');
  expect(of(LISTENERS_MAX + 3)).toMatchObject({ unlisted: 3 });
  expect(of(LISTENERS_MAX + 3).listeners).toHaveLength(LISTENERS_MAX);
  expect(aroundOf(['~ listen-more many'])).not.toHaveProperty('unlisted');
});

describe('a chain of others', () => {
  const shuts = (policy: string, ...rules: readonly string[]) =>
    printed(
      `doaas_shuts ${policy}`,
      ['table inet filter {', '\tchain input {', ...rules.map((rule) => `\t\t${rule}`), '\t}', '}'].join(
        '\n',
      ),
    ).ok;

  it('drops what it does not accept by its policy, or by a rule about everything', () => {
    const hook = 'type filter hook input priority filter; policy accept;';
    expect(shuts('drop', 'tcp dport { 22, 80 } accept')).toBe(true);
    expect(shuts('accept', hook, 'tcp dport 22 accept', 'counter reject with icmpx admin-prohibited')).toBe(
      true,
    );
    expect(shuts('accept', 'log prefix "no: " level warn drop', 'accept')).toBe(true);
    expect(shuts('accept', 'counter packets 5 bytes 9 xt target "REJECT" comment "all"')).toBe(true);
    expect(shuts('accept', hook, 'tcp dport 23 drop', 'limit rate over 5/second drop')).toBe(false);
    expect(shuts('accept', 'ip saddr @banned counter packets 0 bytes 0 drop')).toBe(false);
    expect(shuts('drop', 'tcp dport 23 drop', 'counter accept', 'drop')).toBe(false);
    expect(shuts('accept', 'tcp dport 80 accept comment "then drop"')).toBe(false);
  });

  it('of iptables likewise, and none but INPUT of the table filter', () => {
    const shut = (...rules: readonly string[]) => printed('doaas_saved_shuts ip6', rules.join('\n')).lines;
    const told = ['~ closing ip6 filter INPUT'];
    const reject =
      '-A INPUT -m comment --comment "all the rest" -j REJECT --reject-with icmp6-adm-prohibited';
    const https = '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT';
    expect(shut('*filter', ':INPUT DROP [0:0]', https)).toEqual(told);
    expect(shut('*filter', ':INPUT ACCEPT [0:0]', https, reject, https)).toEqual(told);
    expect(shut('*filter', ':INPUT ACCEPT [0:0]', '-A INPUT -j DROP')).toEqual(told);
    expect(shut('*filter', ':INPUT ACCEPT [0:0]', '-A INPUT -s 192.0.2.7/32 -j DROP')).toEqual([]);
    expect(shut('*filter', ':INPUT ACCEPT [0:0]', ':FORWARD DROP [0:0]', '-A FORWARD -j DROP')).toEqual([]);
    expect(shut('*raw', ':INPUT DROP [0:0]', '-A INPUT -j DROP', 'COMMIT', '*filter')).toEqual([]);
    expect(shut('*filter', ':INPUT DROP [0:0]', '-A INPUT -j ACCEPT', reject)).toEqual([]);
  });
});

describe('what the host says', () => {
  const LOGIN = '~ login 10.8.0.2 40000 10.8.0.1 22';

  it('is understood', () => {
    const output = [
      LOGIN,
      '~ login-on wg0',
      '~ wireguard wg0 51820 kept',
      '~ wireguard office - -',
      '~ other netfilter-persistent.service',
      '~ closing ip filter INPUT',
      '~ closing ip filter INPUT',
      '~ forwards 1 0 ',
      '~ listen 22 sshd',
      '~ ephemeral 20000 30000',
      '~ udp 51820 ',
    ];
    expect(aroundOf(output)).toEqual({
      others: ['netfilter-persistent.service'],
      closing: ['ip filter INPUT'],
      forwards: { ipv4: true, ipv6: false },
      listeners: [{ port: 22, program: 'sshd' }],
      udp: [{ port: 51_820, program: '' }],
      ephemeral: { first: 20_000, last: 30_000 },
      wireGuards: [
        { name: 'wg0', port: 51_820, kept: true },
        { name: 'office', kept: false },
      ],
      login: { address: '10.8.0.2', port: 22 },
      vpn: 'wg0',
    });
  });

  it('names a VPN by its interface, and takes no other for one', () => {
    const vpn = (...more: readonly string[]) => aroundOf([LOGIN, ...more]).vpn;
    expect(vpn('~ login-on tun3')).toBe('tun3');
    expect(vpn('~ login-on office')).toBeUndefined();
    expect(vpn('~ login-on office', '~ wireguard office 51820 -')).toBe('office');
    expect(vpn('~ login-on eth0')).toBeUndefined();
    expect(vpn('~ login-on wg0`x')).toBeUndefined();
  });

  it('is not believed in other words', () => {
    const odd = [
      '~ closing inet a;flush x',
      '~ closing',
      '~ udp x y',
      '~ ephemeral 1',
      '~ wireguard wg0 x -',
      '~ other a b',
    ];
    expect(aroundOf(odd)).toEqual({
      others: [],
      closing: [],
      forwards: { ipv4: false, ipv6: false },
      listeners: [],
      udp: [],
      ephemeral: { first: 32_768, last: 60_999 },
      wireGuards: [],
    });
  });
});
