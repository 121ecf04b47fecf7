import { describe, expect, it } from 'vitest';
import type { DesiredFirewall, Rule } from '../kinds/firewall/spec.ts';
import { CLOSED, ports, RULE } from '../kinds/firewall/testing/spec.ts';
import { inboundGate, WORK_MAX, workOf } from '../kinds/firewall/traffic.ts';
import { PORTS_MAX, portJudge, portsToTry, wayOut } from './exposure.ts';

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
    expect(portsToTry(listeners, desired, 5).more).toBe(9);
  });
});

const declared = { declared: true };
const undeclared = { declared: false };

/** What a firewall says of one port at an address, to whom. */
const verdict = (firewall: DesiredFirewall, senders: readonly string[], port: number, address = '10.0.0.1') =>
  portJudge(firewall, [port])(address, port, senders);

describe('a port is declared', () => {
  it('to whom a rule lets in, and to nobody else', () => {
    expect(verdict(desired, ['10.0.0.5', 'fd00::5'], 9100)).toEqual(declared);
    expect(verdict(desired, ['10.0.0.5', 'fd00::5'], 9100, 'fd00::1')).toEqual(declared);
    expect(verdict(desired, ['10.0.0.6'], 9100)).toEqual(undeclared);
    expect(verdict(desired, ['10.0.0.6'], 443)).toEqual(declared);
    expect(verdict(desired, ['10.0.0.6'], 3306)).toEqual(undeclared);
    expect(verdict(desired, ['10.0.0.6'], 22)).toEqual(undeclared);
  });

  it('within a range, unless a rule denies it', () => {
    const tried = [8004, 8005, 8006, 8011];
    const judge = portJudge(desired, tried);
    expect(tried.map((port) => judge('10.0.0.1', port, ['10.0.0.6']))).toEqual([
      declared,
      undeclared,
      declared,
      undeclared,
    ]);
  });

  it('of a host name, to both of its families', () => {
    expect(verdict(desired, ['10.0.0.5', 'fd00::5'], 9100, 'db.internal')).toEqual(declared);
    expect(verdict(desired, ['10.0.0.6', 'fd00::6'], 9100, 'db.internal')).toEqual(undeclared);
  });

  it('not where only some of the addresses that it may have been tried by are let in', () => {
    const unknown = { notJudged: 'unknown-sender' };
    expect(verdict(desired, ['10.0.0.5', '172.17.0.1'], 9100)).toEqual(unknown);
    expect(verdict(desired, ['10.0.0.6', 'fd00::5'], 9100, 'db.internal')).toEqual(unknown);
    expect(verdict(desired, ['10.0.0.6', '172.17.0.1'], 9100)).toEqual(undeclared);
    expect(verdict(desired, ['10.0.0.6', '172.17.0.1'], 443)).toEqual(declared);
  });

  it('where it is not known who tried, if everybody may', () => {
    expect(verdict(desired, [], 443)).toEqual(declared);
    expect(verdict(desired, [], 9100)).toEqual({ notJudged: 'unknown-sender' });
    expect(verdict(desired, ['10.0.0.6'], 9100, 'fd00::1')).toEqual({ notJudged: 'unknown-sender' });
    expect(verdict(desired, [], 3306)).toEqual(undeclared);
    expect(verdict(desired, [], 22, 'fd00::1')).toEqual(undeclared);
  });
});

describe('a port that is led elsewhere is declared', () => {
  const shop = { ports: ports('8080/tcp'), from: ['10.0.0.0/24'], inInterfaces: [], port: 80 };
  const router: DesiredFirewall = { ...CLOSED, portForwards: { shop: { ...shop, address: '10.9.0.9' } } };
  const denying = (rule: Partial<Rule>): DesiredFirewall => ({
    ...router,
    forward: { default: 'drop', rules: { no: { ...RULE, action: 'drop', ...rule } } },
  });

  it('to whom it leads, and to nobody else', () => {
    expect(verdict(router, ['10.0.0.7'], 8080)).toEqual(declared);
    expect(verdict(router, ['192.0.2.7'], 8080)).toEqual(undeclared);
    expect(verdict(router, ['10.0.0.7'], 80)).toEqual(undeclared);
    expect(verdict(router, [], 8080)).toEqual({ notJudged: 'unknown-sender' });
    expect(verdict(router, ['10.0.0.7'], 8080, 'fd00::1')).toEqual(undeclared);
  });

  it('to all whom the host itself lets in where it does not lead', () => {
    const both = {
      ...router,
      inbound: { alt: { ...RULE, ports: ports('8080/tcp'), from: ['192.0.2.0/24'] } },
    };
    expect(verdict(both, ['192.0.2.7'], 8080)).toEqual(declared);
    expect(verdict(both, ['10.0.0.7'], 8080)).toEqual(declared);
    expect(verdict(both, ['198.51.100.7'], 8080)).toEqual(undeclared);
  });

  it('unless a rule of forward denies it; one that names where it leaves may', () => {
    expect(verdict(denying({ from: ['10.0.0.0/28'] }), ['10.0.0.7'], 8080)).toEqual(undeclared);
    expect(verdict(denying({ from: ['10.0.0.0/28'] }), ['10.0.0.17'], 8080)).toEqual(declared);
    expect(verdict(denying({ to: ['10.9.0.8'] }), ['10.0.0.7'], 8080)).toEqual(declared);
    const unsure = denying({ from: ['10.0.0.0/28'], outInterfaces: ['dmz0'] });
    expect(verdict(unsure, ['10.0.0.7'], 8080)).toEqual({ notJudged: 'unknown-way-out' });
    expect(verdict(unsure, ['10.0.0.17'], 8080)).toEqual(declared);
    expect(verdict(unsure, ['192.0.2.7'], 8080)).toEqual(undeclared);
  });
});

describe('a firewall with a great many rules', () => {
  const addresses = (count: number) =>
    Array.from({ length: count }, (_, i) => `10.${1 + (i >> 15)}.${(i >> 7) & 255}.${(i & 127) * 2}/32`);
  const zones = (count: number) => Array.from({ length: count }, (_, i) => `eth${i}`);

  it('is judged where few of them are about a port: 50 for 100 servers each, in two zones', () => {
    const rules = Array.from({ length: 50 }, (_, i) => {
      const rule = { ...RULE, ports: ports(`${9000 + i}/tcp`), from: addresses(100) };
      return [`rule-${i}`, { ...rule, inInterfaces: [`eth${i % 2}`] }] as const;
    });
    const firewall = { ...CLOSED, inbound: Object.fromEntries(rules) };
    expect(workOf(inboundGate(firewall))).toBeGreaterThan(WORK_MAX);
    const tried = [9000, 9049, 9050];
    const judge = portJudge(firewall, tried);
    const as = (sender: string) => tried.map((port) => judge('10.0.0.1', port, [sender]));
    expect(as('10.1.0.2')).toEqual([declared, declared, undeclared]);
    expect(as('192.0.2.7')).toEqual([undeclared, undeclared, undeclared]);
  });

  it('is not where too many are, and its other ports are', () => {
    const many = { ...RULE, ports: ports('443/tcp'), from: addresses(20_000), inInterfaces: zones(60) };
    const firewall = { ...CLOSED, inbound: { many } };
    const judge = portJudge(firewall, [443, 3306]);
    expect(judge('10.0.0.1', 443, ['10.1.0.2'])).toEqual({ notJudged: 'too-many-rules' });
    expect(judge('10.0.0.1', 3306, ['10.1.0.2'])).toEqual(undeclared);
  });
});

describe('the way out of a host that looks', () => {
  const out = (rules: Readonly<Record<string, Rule>>, dropped = true) =>
    wayOut({ ...CLOSED, outbound: { default: dropped ? 'drop' : 'accept', rules } });
  const place = { address: '10.0.0.1', port: 3306 };

  it('is open without a document, and where nothing is denied', () => {
    expect(wayOut(undefined)(place)).toBe(true);
    expect(out({}, false)(place)).toBe(true);
  });

  it('is shut where no rule surely lets it out', () => {
    const db = { ...RULE, ports: ports('3306/tcp'), to: ['10.0.0.0/24'] };
    expect(out({})(place)).toBe(false);
    expect(out({ db })(place)).toBe(true);
    expect(out({ db })({ ...place, port: 3307 })).toBe(false);
    expect(out({ db })({ ...place, address: '10.0.1.1' })).toBe(false);
    expect(out({ db })({ ...place, address: 'db.internal' })).toBe(false);
    expect(out({ db: { ...db, outInterfaces: ['eth1'] } })(place)).toBe(false);
    expect(out({ no: { ...db, action: 'reject' } }, false)(place)).toBe(false);
    // it may leave by that one
    expect(out({ no: { ...db, action: 'drop', outInterfaces: ['eth1'] } }, false)(place)).toBe(false);
  });
});
