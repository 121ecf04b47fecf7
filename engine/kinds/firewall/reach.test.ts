import { describe, expect, test } from 'vitest';
import type { DesiredFirewall, PortForward, Rule } from './spec.ts';
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

const forward = (rules: Readonly<Record<string, Rule>>, byDefault: 'accept' | 'drop' = 'drop') => ({
  ...CLOSED,
  forward: { default: byDefault, rules },
});

describe('who gains and loses what through the host', () => {
  const lan = rule(['443/tcp'], { from: ['10.1.0.0/16'], inInterfaces: ['eth1'], outInterfaces: ['eth0'] });
  test.each<[string, DesiredFirewall | undefined, DesiredFirewall, readonly string[]]>([
    ['nothing', forward({ lan }), forward({ net: lan }), []],
    [
      'what begins, in one sentence',
      CLOSED,
      forward({ lan }),
      ['everyone loses everything through the host but what "forward" accepts'],
    ],
    ['what ends', forward({}), CLOSED, ['everyone gains everything through the host']],
    ['what begins and denies nothing', CLOSED, forward({}, 'accept'), []],
    [
      'first contact',
      undefined,
      forward({}),
      ['everyone loses everything but tcp/22', 'everyone loses everything through the host'],
    ],
    [
      'what was denied and is accepted now stands beside what begins',
      forward({ no: rule(['443/tcp'], { action: 'drop', to: ['192.0.2.9'] }) }, 'accept'),
      forward({ lan }),
      [
        'everyone loses everything through the host but what "forward" accepts',
        '10.1.0.0/16 gains tcp/443 of 192.0.2.9 through the host in by eth1 out by eth0',
      ],
    ],
    [
      'a rule with both sides, and servers by name',
      forward({ lan }),
      forward({ lan, sql: rule(['5432/tcp'], { from: ['10.1.0.0/16'], to: ['10.2.0.9'] }) }),
      ['10.1.0.0/16 gains tcp/5432 of 10.2.0.9 (db-1) through the host'],
    ],
    [
      'a way out less',
      forward({ web: rule(['80/tcp'], { inInterfaces: ['in0', 'in1'], outInterfaces: ['ext0', 'ext1'] }) }),
      forward({ web: rule(['80/tcp'], { inInterfaces: ['in0', 'in1'], outInterfaces: ['ext0'] }) }),
      ['everyone loses tcp/80 of everyone through the host in by in0, in1 out by ext1'],
    ],
    [
      'a denial of some of it',
      forward({ web: rule(['80/tcp'], { to: ['10.2.0.0/16'] }) }),
      forward({
        web: rule(['80/tcp'], { to: ['10.2.0.0/16'] }),
        bad: { ...RULE, action: 'reject', from: ['203.0.113.0/24'], to: ['10.2.7.0/24'] },
      }),
      ['203.0.113.0/24 loses tcp/80 of 10.2.7.0/24 through the host'],
    ],
    [
      'a denial where all may pass',
      forward({}, 'accept'),
      forward({ smtp: rule(['25/tcp'], { action: 'drop', from: ['10.1.0.0/16'] }) }, 'accept'),
      ['10.1.0.0/16 loses tcp/25 of everyone through the host'],
    ],
  ])('%s', (_, before, after, lines) => {
    expect(accessChanges(before, after, { 'db-1': ['10.2.0.9'] })).toEqual(lines);
  });
});

describe('who is led where by port forwards', () => {
  const lead = (range: string, target: string, more: Partial<PortForward> = {}): PortForward => {
    const [address = '', port] = target.split(' ');
    return { ports: ports(range), from: null, inInterfaces: [], address, port: Number(port), ...more };
  };
  const leads = (portForwards: DesiredFirewall['portForwards'], more: Partial<DesiredFirewall> = {}) => ({
    ...CLOSED,
    ...more,
    portForwards,
  });
  const shop = lead('443/tcp', '10.0.0.5 8443', { from: ['10.0.0.0/8', 'fd00::/8'] });
  test.each<[string, DesiredFirewall | undefined, DesiredFirewall, readonly string[]]>([
    ['one more', CLOSED, leads({ shop }), ['10.0.0.0/8 gains tcp/443 led on to 10.0.0.5:8443']],
    ['one less', leads({ shop }), CLOSED, ['10.0.0.0/8 loses tcp/443 led on to 10.0.0.5:8443']],
    ['another name', leads({ shop }), leads({ store: shop }), []],
    [
      'first contact',
      undefined,
      leads({ six: lead('8080/tcp', 'fd00::9 80', { inInterfaces: ['ext0'] }) }),
      [
        'everyone loses everything but tcp/22',
        'everyone over IPv6 gains tcp/8080 led on to [fd00::9]:80 in by ext0',
      ],
    ],
    [
      'another target',
      leads({ shop }),
      leads({ shop: { ...shop, address: '10.0.0.6' } }),
      [
        '10.0.0.0/8 gains tcp/443 led on to 10.0.0.6:8443',
        '10.0.0.0/8 loses tcp/443 led on to 10.0.0.5:8443',
      ],
    ],
    [
      'a port of the host itself that is led elsewhere now',
      leads({}, { inbound: { web: rule(['80/tcp', '443/tcp']) } }),
      leads({ shop }, { inbound: { web: rule(['80/tcp', '443/tcp']) } }),
      ['10.0.0.0/8 loses tcp/443', '10.0.0.0/8 gains tcp/443 led on to 10.0.0.5:8443'],
    ],
    [
      'the first in the document has it',
      leads({ shop }),
      leads({ test: lead('443/tcp', '10.0.0.7 443', { from: ['10.9.0.0/16'] }), shop }),
      [
        '10.9.0.0/16 gains tcp/443 led on to 10.0.0.7:443',
        '10.9.0.0/16 loses tcp/443 led on to 10.0.0.5:8443',
      ],
    ],
    [
      'a second way to the same place',
      leads({ shop }),
      leads({ shop, more: lead('8443/tcp', '10.0.0.5 8443', { from: ['10.0.0.0/8'] }) }),
      ['10.0.0.0/8 gains tcp/8443 led on to 10.0.0.5:8443'],
    ],
    [
      'a denial of "forward"',
      leads({ shop }, forward({})),
      leads({ shop }, forward({ bad: { ...RULE, action: 'drop', from: ['10.6.0.0/16'] } })),
      ['10.6.0.0/16 loses tcp/443 led on to 10.0.0.5:8443'],
    ],
    [
      'a denial of another target, and one of another port there',
      leads({ shop }, forward({})),
      leads(
        { shop },
        forward({
          other: { ...RULE, action: 'drop', to: ['10.0.0.6'] },
          ssh: rule(['443/tcp'], { action: 'drop', to: ['10.0.0.5'] }),
        }),
      ),
      [],
    ],
    [
      'a denial by where it leaves, which nobody can know',
      leads({}, forward({ no: { ...RULE, action: 'drop', outInterfaces: ['eth9'] } })),
      leads({ shop }, forward({ no: { ...RULE, action: 'drop', outInterfaces: ['eth9'] } })),
      [
        '10.0.0.0/8 gains tcp/443 led on to 10.0.0.5:8443, unless no of "forward" denies it by where it leaves',
      ],
    ],
    [
      'what is led on needs no rule of "forward"',
      leads({ shop }),
      leads({ shop }, forward({})),
      ['everyone loses everything through the host'],
    ],
  ])('%s', (_, before, after, lines) => {
    expect(accessChanges(before, after)).toEqual(lines);
  });

  test('more than anybody can compare are not compared, and that is said', () => {
    const blocks = Array.from({ length: 200 }, (_, n) => `10.${n}.0.0/24`);
    const many = Array.from({ length: 200 }, (_, n) => [
      `f${n}`,
      lead(`${1000 + n}/tcp`, '10.0.0.9 80', { from: blocks }),
    ]);
    expect(accessChanges(CLOSED, leads(Object.fromEntries(many)))).toContain(
      'there are too many port forwards and rules to say who is led where',
    );
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
