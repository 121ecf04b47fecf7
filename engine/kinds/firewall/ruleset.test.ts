import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rulesetText, SAVED } from './ruleset.ts';
import { savedFirewall } from './saved.ts';
import { anyFirewall } from './testing/arbitrary.ts';
import { CLOSED, ports, RULE } from './testing/spec.ts';

/** Lines of one chain, without its frame. */
function chain(text: string, name: string): readonly string[] {
  const [, body = ''] = new RegExp(`\\n\\tchain ${name} \\{\\n(.*?)\\n\\t\\}`, 's').exec(text) ?? [];
  return body.split('\n').map((line) => line.trim());
}

describe('the ruleset of any firewall', () => {
  test('replaces our table and names no other', () => {
    fc.assert(
      fc.property(anyFirewall, (desired) => {
        const text = rulesetText(desired);
        const commands = text.split('\n').filter((line) => /^[a-z]/.test(line));
        expect(commands).toEqual(['table inet doaas', 'delete table inet doaas', 'table inet doaas {']);
        expect(text.replaceAll(/^#.*$/gm, '')).not.toMatch(/flush|include|define/);
      }),
    );
  });

  test('lets the engine in before any rule can say otherwise', () => {
    fc.assert(
      fc.property(anyFirewall, (desired) => {
        const input = chain(rulesetText(desired), 'input');
        const first = input.findIndex((line) => / (drop|reject)\b/.test(line) && !line.includes('policy'));
        const own = input.findIndex((line) => line.includes('comment "management"'));
        expect(own).toBeGreaterThan(0);
        expect(first).toBeGreaterThan(own);
        expect(input[own]).toContain(`tcp dport ${desired.management.port} counter accept`);
      }),
    );
  });

  test('says what it was made from', () => {
    fc.assert(
      fc.property(anyFirewall, (desired) => {
        expect(savedFirewall(rulesetText(desired))).toEqual(desired);
      }),
    );
  });
});

test('what passes through is nobody’s business until it is declared: containers have chains of their own', () => {
  expect(rulesetText(CLOSED)).not.toMatch(/hook (forward|output|prerouting|postrouting)/);
  const forward = { default: 'drop', rules: {} } as const;
  expect(rulesetText({ ...CLOSED, forward })).toContain('hook forward priority filter; policy drop;');
});

test('denials come first, then limits, then what is accepted', () => {
  const text = rulesetText({
    ...CLOSED,
    inbound: {
      a: { ...RULE, ports: ports('80/tcp') },
      b: { ...RULE, ports: ports('81/tcp'), rateLimit: { packets: 30, per: 'minute' } },
      c: { ...RULE, action: 'drop', from: ['203.0.113.0/24'], log: true },
    },
  });
  expect(chain(text, 'input').slice(6)).toEqual([
    'ip saddr 203.0.113.0/24 limit rate 10/minute burst 5 packets log prefix "doaas c: "',
    'ip saddr 203.0.113.0/24 counter drop comment "c"',
    'ct state new meta nfproto ipv4 tcp dport 81 update @in-b-4 { ip saddr limit rate over 30/minute burst 30 packets } counter drop comment "b over its limit"',
    'ct state new meta nfproto ipv6 tcp dport 81 update @in-b-6 { ip6 saddr limit rate over 30/minute burst 30 packets } counter drop comment "b over its limit"',
    'tcp dport 80 counter accept comment "a"',
    'tcp dport 81 counter accept comment "b"',
    'counter comment "no rule accepts it"',
  ]);
});

test('where the way out is closed, the SSH server still answers, and servers behind this one are still reached', () => {
  const jumps = [
    { address: '10.0.0.7', port: 22 },
    { address: 'fd00::7', port: 2222 },
    { address: 'db.internal', port: 22 },
  ];
  const text = rulesetText({
    ...CLOSED,
    management: { port: 8022, from: ['10.0.0.0/8'], jumps },
    outbound: { default: 'drop', rules: {} },
  });
  expect(chain(text, 'input')).toContain(
    'ip saddr 10.0.0.0/8 tcp dport 8022 counter accept comment "management"',
  );
  expect(chain(text, 'output').slice(0, 7)).toEqual([
    'type filter hook output priority filter; policy drop;',
    'oifname "lo" accept',
    'tcp sport 8022 accept comment "management"',
    'ip daddr 10.0.0.7 tcp dport 22 accept comment "management"',
    'ip6 daddr fd00::7 tcp dport 2222 accept comment "management"',
    'tcp dport 22 accept comment "management"',
    'ct state established,related accept',
  ]);
});

describe('what a host says a file was made from', () => {
  const text = rulesetText(CLOSED);
  test.each([
    ['nothing', 'table inet doaas {}'],
    ['no JSON', `${SAVED}{"management":`],
    ['another shape', `${SAVED}${JSON.stringify({ ...CLOSED, inbound: { a: { ...RULE, ports: ['80'] } } })}`],
    ['a list', `${SAVED}[]`],
    ['another version', text.replace(SAVED, SAVED.replace('1', '2'))],
  ])('%s', (_, said) => {
    expect(savedFirewall(said)).toBeUndefined();
  });
});
