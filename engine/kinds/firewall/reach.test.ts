import { describe, expect, test } from 'vitest';
import type { DesiredFirewall, Rule } from './spec.ts';
import { CLOSED, ports, RULE } from './testing/spec.ts';
import { accessChanges, ruleChanges } from './words.ts';

const rule = (ranges: readonly string[], more: Partial<Rule> = {}): Rule => ({
  ...RULE,
  ports: ports(...ranges),
  ...more,
});
const inbound = (rules: Readonly<Record<string, Rule>>): DesiredFirewall => ({ ...CLOSED, inbound: rules });

describe('who gains and loses what', () => {
  test.each<[string, DesiredFirewall | undefined, DesiredFirewall, readonly string[]]>([
    ['nothing', CLOSED, CLOSED, []],
    [
      'a rule more, a rule less',
      inbound({ metrics: rule(['9100/tcp']) }),
      inbound({ web: rule(['443/tcp'], { from: ['10.0.0.0/8'] }) }),
      ['10.0.0.0/8 gains tcp/443', 'everyone loses tcp/9100'],
    ],
    [
      'another name and another cut of the same',
      inbound({ a: rule(['80-81/tcp']) }),
      inbound({ b: rule(['80/tcp'], { from: ['0.0.0.0/1', '::/0'] }), c: rule(['80/tcp', '81/tcp']) }),
      [],
    ],
    [
      'a narrower management',
      CLOSED,
      { ...CLOSED, management: { ...CLOSED.management, from: ['10.0.0.0/8', '::/0'] } },
      ['everyone but 10.0.0.0/8, ::/0 loses tcp/22'],
    ],
    [
      'a denial',
      inbound({ web: rule(['80/tcp']) }),
      inbound({ web: rule(['80/tcp']), abuse: { ...RULE, action: 'drop', from: ['203.0.113.0/24'] } }),
      ['203.0.113.0/24 loses tcp/80'],
    ],
    [
      'what is denied and never was accepted is no loss',
      CLOSED,
      inbound({ abuse: { ...RULE, action: 'drop', from: ['203.0.113.0/24'] } }),
      [],
    ],
    [
      'an interface',
      inbound({ db: rule(['5432/tcp']) }),
      inbound({ db: rule(['5432/tcp'], { inInterfaces: ['eth1'] }) }),
      ['everyone loses tcp/5432 on other interfaces'],
    ],
    ['everything', CLOSED, inbound({ all: RULE }), ['everyone gains everything but tcp/22']],
    [
      'one family',
      CLOSED,
      inbound({ a: rule(['80/tcp'], { from: ['0.0.0.0/0'] }), b: rule(['443/tcp'], { from: ['::/0'] }) }),
      ['everyone over IPv4 gains tcp/80', 'everyone over IPv6 gains tcp/443'],
    ],
    [
      'the way out',
      CLOSED,
      { ...CLOSED, outbound: { default: 'accept', rules: { mail: rule(['25/tcp'], { action: 'reject' }) } } },
      ['the host loses tcp/25 of everyone'],
    ],
    [
      'first contact',
      undefined,
      inbound({ web: rule(['80/tcp']) }),
      ['everyone loses everything but tcp/22, tcp/80'],
    ],
  ])('%s', (_, before, after, lines) => {
    expect(accessChanges(before, after)).toEqual(lines);
  });
});

test('rules are compared by name, in words', () => {
  const before = inbound({ web: rule(['80/tcp']), old: rule(['9100/tcp'], { from: ['10.0.0.9'] }) });
  const after = inbound({
    web: rule(['80/tcp', '443/tcp', '443/udp'], { log: true, rateLimit: { packets: 9, per: 'minute' } }),
    db: rule(['5432/tcp'], { inInterfaces: ['eth1'] }),
  });
  expect(ruleChanges(before, after)).toEqual([
    '- inbound web: accept tcp/80 from everyone',
    '- inbound old: accept tcp/9100 from 10.0.0.9',
    '+ inbound web: accept tcp/80, tcp/443, udp/443 from everyone at most 9 a minute from each logged',
    '+ inbound db: accept tcp/5432 from everyone in by eth1',
  ]);
});

test('servers that selectors mean are told by name, also where their addresses make one block', () => {
  const servers = { 'db-1': ['10.0.0.8', 'fd00::8'], 'db-2': ['10.0.0.9'], mon: ['10.0.0.77'] };
  const before = inbound({ sql: rule(['5432/tcp'], { from: ['10.0.0.77/32', '192.0.2.0/24'] }) });
  const after = inbound({ sql: rule(['5432/tcp'], { from: ['10.0.0.8/31', 'fd00::8'] }) });
  expect(accessChanges(before, after, servers)).toEqual([
    '10.0.0.8/31, fd00::8 (db-1, db-2) gains tcp/5432',
    '10.0.0.77, 192.0.2.0/24 (mon) loses tcp/5432',
  ]);
  expect(ruleChanges(before, after, servers)).toEqual([
    '- inbound sql: accept tcp/5432 from 10.0.0.77, 192.0.2.0/24 (mon)',
    '+ inbound sql: accept tcp/5432 from 10.0.0.8/31, fd00::8 (db-1, db-2)',
  ]);
});
