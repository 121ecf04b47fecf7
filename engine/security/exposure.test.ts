import { describe, expect, it } from 'vitest';
import { CLOSED, ports, RULE } from '../kinds/firewall/testing/spec.ts';
import { declares, PORTS_MAX, portsToTry } from './exposure.ts';

const desired = {
  ...CLOSED,
  management: { port: 22, from: ['192.0.2.0/24'], jumps: [] },
  inbound: {
    web: { ...RULE, ports: ports('443/tcp', '8000-8010/tcp', '53/udp') },
    metrics: { ...RULE, ports: ports('9100/tcp'), from: ['10.0.0.5/32', 'fd00::5/128'] },
    not: { ...RULE, action: 'drop' as const, ports: ports('8005/tcp') },
  },
};

describe('ports that are tried', () => {
  it('are those that listen, and those that the firewall opens', () => {
    const listeners = [
      { port: 3306, program: 'mariadbd' },
      { port: 22, program: 'sshd' },
    ];
    expect(portsToTry(listeners, desired)).toEqual({ ports: [22, 443, 3306, 8000, 9100], more: 0 });
    expect(portsToTry(listeners, undefined)).toEqual({ ports: [22, 3306], more: 0 });
  });

  it('have a bound, and what is left out is counted', () => {
    const listeners = Array.from({ length: PORTS_MAX }, (_, i) => ({ port: 10_000 + i, program: '' }));
    const { ports: tried, more } = portsToTry(listeners, desired);
    expect({ tried: tried.length, more }).toEqual({ tried: PORTS_MAX, more: 4 });
  });
});

describe('a port is declared', () => {
  it('to whom a rule lets in, and to nobody else', () => {
    const toMonitor = declares(desired, ['10.0.0.5', 'fd00::5']);
    const toOther = declares(desired, ['10.0.0.6']);
    expect(toMonitor('10.0.0.1', 9100)).toBe(true);
    expect(toMonitor('fd00::1', 9100)).toBe(true);
    expect(toOther('10.0.0.1', 9100)).toBe(false);
    expect(toOther('10.0.0.1', 443)).toBe(true);
    expect(toOther('10.0.0.1', 3306)).toBe(false);
    expect(toOther('10.0.0.1', 22)).toBe(false);
  });

  it('within a range, unless a rule denies it', () => {
    const toAny = declares(desired, ['10.0.0.6']);
    expect([8004, 8005, 8006, 8011].map((port) => toAny('10.0.0.1', port))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('where it is not known who tried, if somebody may', () => {
    expect(declares(desired, [])('10.0.0.1', 9100)).toBe(true);
    expect(declares(desired, ['10.0.0.6'])('fd00::1', 9100)).toBe(true);
    expect(declares(desired, [])('10.0.0.1', 3306)).toBe(false);
  });
});
