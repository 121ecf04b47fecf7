import { describe, expect, it } from 'vitest';
import type { Listener } from '../../facts/firewallAround.ts';
import type { DesiredFirewall } from './spec.ts';
import { CLOSED, ports, QUIET, RULE } from './testing/spec.ts';
import { leaderOf, shutVpn, unreached, waitingOn } from './waiting.ts';

const inbound = (rule: Partial<DesiredFirewall['inbound'][string]>): DesiredFirewall => ({
  ...CLOSED,
  inbound: { some: { ...RULE, ...rule } },
});

describe('who waits for packets over UDP', () => {
  const names = (udp: readonly Listener[], more = {}) =>
    waitingOn({ ...QUIET, udp, ...more }).map(({ program, port }) => `${program} ${port}`);

  it('is nobody on a common server', () => {
    const common = [
      { port: 68, program: 'dhclient' },
      { port: 68, program: 'systemd-network' },
      { port: 546, program: 'systemd-network' },
      { port: 5353, program: 'avahi-daemon' },
      { port: 41_237, program: 'avahi-daemon' },
      { port: 5355, program: 'systemd-resolve' },
      { port: 45_123, program: 'chronyd' },
      { port: 41_641, program: 'tailscaled' },
      { port: 23_871, program: 'unbound' },
      { port: 38_000, program: '' },
    ];
    expect(names(common)).toEqual([]);
  });

  it('is who serves others, and WireGuard at whatever port', () => {
    const udp = [
      { port: 53, program: 'unbound' },
      { port: 123, program: 'chronyd' },
      { port: 443, program: 'caddy' },
      { port: 1194, program: 'openvpn' },
      { port: 8472, program: '' },
      { port: 51_820, program: '' },
      { port: 40_000, program: '' },
    ];
    const known = { wireGuards: [{ name: 'wg0', port: 51_820, kept: false }] };
    expect(names(udp, known)).toEqual([
      'unbound 53',
      'chronyd 123',
      'caddy 443',
      'openvpn 1194',
      ' 8472',
      'wg0 51820',
    ]);
    const unknown = { wireGuards: [{ name: 'wg0', kept: false }] };
    expect(names(udp, unknown).slice(-2)).toEqual([' 51820', ' 40000']);
  });

  it('is told where no rule is about that protocol', () => {
    const waiting = waitingOn({
      ...QUIET,
      listeners: [{ port: 53, program: 'named' }],
      udp: [{ port: 53, program: 'named' }],
    });
    const told = unreached(inbound({ ports: ports('53/tcp') }), waiting);
    expect(told.map(({ protocol, port }) => `${protocol}/${port}`)).toEqual(['udp/53']);
    expect(unreached(inbound({}), waiting)).toEqual([]);
  });
});

describe('a VPN that the engine comes by', () => {
  const kernel = [{ port: 51_820, program: '' }];
  const wg = (more: object) => ({
    ...QUIET,
    vpn: 'wg0',
    udp: kernel,
    wireGuards: [{ name: 'wg0', port: 51_820, kept: false, ...more }],
  });

  it('of WireGuard is shut without a rule for its port', () => {
    expect(shutVpn(CLOSED, wg({}))).toEqual(ports('51820/udp'));
    expect(shutVpn(inbound({ ports: ports('51820/tcp') }), wg({}))).toEqual(ports('51820/udp'));
    expect(shutVpn(inbound({ ports: ports('51820/udp'), from: ['192.0.2.0/24'] }), wg({}))).toEqual([]);
    expect(shutVpn(inbound({ action: 'drop' }), wg({}))).toEqual(ports('51820/udp'));
    const { vpn: _, ...elsewhere } = wg({});
    expect(shutVpn(CLOSED, elsewhere)).toEqual([]);
  });

  it('is not opened by what is let in over itself', () => {
    expect(shutVpn(inbound({ inInterfaces: ['wg*'] }), wg({}))).toEqual(ports('51820/udp'));
    expect(shutVpn(inbound({ inInterfaces: ['wg0', 'eth0'] }), wg({}))).toEqual([]);
    expect(shutVpn(inbound({}), wg({}))).toEqual([]);
  });

  it('stays where the host itself keeps it open, or nothing is known that carries it', () => {
    expect(shutVpn(CLOSED, wg({ kept: true }))).toEqual([]);
    expect(shutVpn(CLOSED, { ...QUIET, vpn: 'tun0' })).toEqual([]);
  });

  it('of WireGuard without wg(8) is carried by a socket of the kernel that is not of VXLAN', () => {
    const udp = [{ port: 8472, program: '' }, ...kernel, { port: 53, program: 'named' }];
    const around = { ...QUIET, vpn: 'wg0', udp, wireGuards: [{ name: 'wg0', kept: false }] };
    expect(shutVpn(CLOSED, around)).toEqual(ports('51820/udp'));
    expect(shutVpn(inbound({ ports: ports('8472/udp') }), around)).toEqual(ports('51820/udp'));
  });

  it('of OpenVPN is carried by UDP or TCP', () => {
    const openvpn = (port: number) => [{ port, program: 'openvpn' }];
    const around = { ...QUIET, vpn: 'tun0' };
    expect(shutVpn(CLOSED, { ...around, udp: openvpn(1194) })).toEqual(ports('1194/udp'));
    expect(shutVpn(CLOSED, { ...around, listeners: openvpn(443) })).toEqual(ports('443/tcp'));
    expect(shutVpn(CLOSED, { ...around, udp: openvpn(40_000) })).toEqual([]);
    expect(shutVpn(inbound({ ports: ports('443/tcp') }), { ...around, listeners: openvpn(443) })).toEqual([]);
  });
});

it('what leads a port on to a container, and what hands on itself', () => {
  const of = (program: string, port = 8080) => leaderOf({ program, port });
  expect(of('docker-proxy')).toBe('Docker');
  expect(of('conmon')).toBe('Podman');
  expect(of('dockerd')).toBe('Docker');
  expect(of('dockerd', 2376)).toBeUndefined();
  for (const own of ['rootlessport', 'rootlesskit', 'slirp4netns', 'pasta.avx2', 'nginx', '', 'constructor'])
    expect(of(own)).toBeUndefined();
});
