import { describe, expect, test } from 'vitest';
import { hostKeyOf } from '../../../test/hostKey.ts';
import { checkRepository } from '../../spec/check.ts';
import { check, repository, sentences } from '../../spec/testing.ts';

const SERVER = `{apiVersion: doaas/v1, kind: Server, metadata: {name: web-1}, spec: {address: 10.0.0.5, hostKey: ${hostKeyOf('web-1')}}}\n`;

/** The spec begins in line 5. */
function repositoryOf(spec: readonly string[]): Readonly<Record<string, string>> {
  const head = 'apiVersion: doaas/v1\nkind: Firewall\nmetadata: {name: web}\nspec:\n';
  const lines = ['targets: {all: true}', 'zones: {external: [eth0], every: ["eth*"]}', ...spec];
  return { 'hosts.yaml': SERVER, 'web.yaml': `${head}${lines.map((line) => `  ${line}\n`).join('')}` };
}

/** Everything that is said of a firewall with these lines, from line 7 on. */
function said(...spec: readonly string[]): readonly string[] {
  const files = repositoryOf([
    ...spec,
    'masquerade: {a: {from: [10.0.0.0/8], zone: every}, b: {from: [10.0.0.0/8], zone: external}}',
  ]);
  const warnings = checkRepository(repository(files)).resolution.warnings ?? [];
  return [...check(files), ...sentences(warnings)];
}

const A = '  a: {port: 8080, to: "10.0.0.9:80"}';

test.each<[string, readonly string[], readonly string[]]>([
  [
    'two to different places',
    ['portForwards:', A, '  b: {port: 8080, to: "10.0.0.7:80"}'],
    [
      'web.yaml:9:5 The port forward b leads to 10.0.0.7:80 what a leads to 10.0.0.9:80, so it can never hold; remove one of the two.',
    ],
  ],
  [
    'a wider one first',
    [
      'portForwards:',
      '  a: {port: "8000-8100", to: "10.0.0.9:80"}',
      '  b: {port: 8080, from: [192.0.2.0/24], zone: external, to: "10.0.0.7:80"}',
    ],
    [
      'web.yaml:9:5 The port forward b leads to 10.0.0.7:80 what a leads to 10.0.0.9:80, so it can never hold; remove one of the two.',
    ],
  ],
  [
    'a narrower one first',
    ['portForwards:', '  b: {port: 8080, from: [192.0.2.0/24], to: "10.0.0.7:80"}', A],
    [
      'web.yaml:9:5 The port forwards b and a lead some of the same to different places, 10.0.0.7:80 and 10.0.0.9:80: it goes to the former, which stands first.',
    ],
  ],
  [
    'two to the same place',
    ['portForwards:', A, '  b: {port: 8080, zone: external, to: "10.0.0.9:80"}'],
    ['web.yaml:9:5 The port forward b changes nothing: a leads all of it there.'],
  ],
  [
    'senders of the other family',
    ['portForwards:', '  a: {port: 8080, from: ["fd00::/8"], to: "10.0.0.9:80"}'],
    [
      'web.yaml:8:5 The port forward a leads nobody: none of its senders can have an address like that of 10.0.0.9:80.',
    ],
  ],
  [
    'a target that is denied',
    ['portForwards:', A, 'forward: {rules: {no-web: {action: drop, to: [10.0.0.0/24], port: 80}}}'],
    [
      'web.yaml:8:5 The port forward a leads to 10.0.0.9:80 what the rule no-web of "forward" denies, and what is denied stays out; remove one of the two.',
    ],
  ],
  [
    'a rule whose port is led elsewhere',
    ['inbound: {app: {port: 8080}}', 'portForwards:', A, '  a6: {port: 8080, to: "[fd00::9]:80"}'],
    ['web.yaml:7:13 The rule app changes nothing: a and a6 of "portForwards" leads all of it elsewhere.'],
  ],
  [
    'a denial that does not reach what is led elsewhere',
    [
      'inbound:',
      '  app: {port: 443}',
      '  bad: {action: drop, from: [203.0.113.0/24], log: true}',
      'portForwards:',
      A,
    ],
    [
      'web.yaml:9:5 The rule bad does not keep out whom the port forward a leads to 10.0.0.9:80: deny them in the rules of "forward" too.',
    ],
  ],
])('%s', (_, spec, sentence) => {
  expect(said(...spec)).toEqual(sentence);
});

test.each<[string, readonly string[]]>([
  ['another family', ['portForwards:', A, '  b: {port: 8080, to: "[fd00::9]:80"}']],
  ['another protocol', ['portForwards:', A, '  b: {port: 8080, protocol: udp, to: "10.0.0.7:80"}']],
  [
    'other senders',
    [
      'portForwards:',
      '  a: {port: 80, from: [10.1.0.0/16], to: "10.0.0.9:80"}',
      '  b: {port: 80, from: [10.2.0.0/16], to: "10.0.0.7:80"}',
    ],
  ],
  [
    'some senders denied in both',
    [
      'inbound: {app: {port: 443}, bad: {action: drop, from: [203.0.113.0/24]}}',
      'portForwards:',
      A,
      'forward: {rules: {bad: {action: drop, from: [203.0.113.0/24]}}}',
    ],
  ],
  ['a rule for the family that is not led elsewhere', ['inbound: {app: {port: 8080}}', 'portForwards:', A]],
  [
    'a denial of another target',
    ['portForwards:', A, 'forward: {rules: {no: {action: drop, to: [10.0.0.8]}}}'],
  ],
])('nothing is odd about %s', (_, spec) => {
  expect(said(...spec)).toEqual([]);
});

test('more forwards than anybody can compare are not compared, and that is said', () => {
  const blocks = Array.from({ length: 200 }, (_, n) => `10.${n}.0.0/24`);
  const many = Array.from(
    { length: 200 },
    (_, n) => `  f${n}: {port: ${1000 + n}, from: [{set: blocks}], to: "10.0.0.9:80"}`,
  );
  expect(said(`sets: {blocks: [${blocks}]}`, 'portForwards:', ...many)).toEqual([
    expect.stringContaining('This firewall has too many rules'),
  ]);
});

describe('rules of "forward"', () => {
  /** The first rule stands in line 10. */
  const through = (rules: readonly string[], more: readonly string[] = [], byDefault = 'drop') =>
    said('forward:', `  default: ${byDefault}`, '  rules:', ...rules.map((rule) => `    ${rule}`), ...more);

  test.each<[string, readonly string[], readonly string[]]>([
    [
      'one that accepts what another denies',
      [
        'sql: {port: 5432, from: [10.1.0.0/24], to: [10.2.0.9], zone: external}',
        'no: {action: drop, port: "5000-6000", to: [10.2.0.0/16], zone: every}',
      ],
      [
        'web.yaml:10:7 The rule sql accepts what no denies, and what is denied stays out; remove one of the two.',
      ],
    ],
    [
      'one that two deny together, each to some',
      [
        'web: {port: 80, from: [10.1.0.0/16], to: [10.2.0.0/24, 10.3.0.0/24]}',
        'a: {action: drop, to: [10.2.0.0/16]}',
        'b: {action: reject, from: [10.0.0.0/8], to: [10.3.0.0/16]}',
      ],
      [
        'web.yaml:10:7 The rule web accepts what a and b denies, and what is denied stays out; remove one of the two.',
      ],
    ],
    [
      'one that others accept, by senders and by receivers',
      [
        'wide: {services: [http, https], from: [10.1.0.0/17]}',
        'there: {port: 80, from: [10.1.128.0/17], to: [10.2.0.0/16]}',
        'web: {port: 80, from: [10.1.0.0/16], to: [10.2.0.9], toZone: external}',
        'lan: {port: 443, from: [10.1.0.0/24], zone: external, toZone: every}',
      ],
      [
        'web.yaml:12:7 The rule web changes nothing: wide and there accepts all of it.',
        'web.yaml:13:7 The rule lan changes nothing: wide accepts all of it.',
      ],
    ],
    [
      'the later of two that are the same',
      ['b: {port: 80, zone: external}', 'a: {port: 80, zone: external}'],
      ['web.yaml:10:7 The rule b changes nothing: a accepts all of it.'],
    ],
    [
      'a denial of what nothing accepts',
      ['web: {port: 80, to: [10.2.0.9]}', 'no: {action: drop, port: 80, to: [10.2.0.8]}'],
      ['web.yaml:11:7 The rule no changes nothing: no rule accepts any of it.'],
    ],
    [
      'sides of different families',
      ['web: {port: 80, from: [10.1.0.0/16], to: ["fd00::9"]}'],
      [
        'web.yaml:10:7 The rule web changes nothing: its "from" and "to" have no family of addresses in common.',
      ],
    ],
  ])('%s', (_, rules, sentence) => {
    expect(through(rules)).toEqual(sentence);
  });

  test.each<[string, readonly string[]]>([
    [
      'corners that two others leave',
      [
        'a: {port: 80, from: [10.1.0.0/24], to: [10.2.0.0/24, 10.9.0.0/16]}',
        'b: {port: 80, from: [10.1.1.0/24], to: [10.2.1.0/24, 10.9.0.0/16]}',
        'both: {port: 80, from: [10.1.0.0/23], to: [10.2.0.0/23]}',
      ],
    ],
    ['another way out', ['a: {port: 80, toZone: external}', 'b: {port: 80, zone: external}']],
    [
      'some of it denied',
      ['web: {port: 80, to: [10.2.0.0/16]}', 'no: {action: drop, from: [10.1.0.0/16], to: [10.2.0.9]}'],
    ],
    [
      'a limit, and a log',
      [
        'a: {port: 80}',
        'b: {port: 80, from: [10.1.0.0/16], rateLimit: 10/second}',
        'c: {port: 80, to: [10.2.0.9], log: true}',
      ],
    ],
  ])('nothing is odd about %s', (_, rules) => {
    expect(through(rules)).toEqual([]);
  });

  test('where all may pass, a rule that accepts changes nothing', () => {
    expect(through(['web: {port: 80}', 'no: {action: drop, port: 25}'], [], 'accept')).toEqual([
      'web.yaml:10:7 The rule web changes nothing: all may pass anyway.',
    ]);
  });

  test('a denial has an effect on what a port forward leads through', () => {
    const denial = 'no: {action: drop, from: [203.0.113.0/24], to: [10.0.0.9]}';
    expect(through([denial], ['portForwards:', A])).toEqual([]);
    expect(through([denial], ['portForwards:', '  a: {port: 8080, to: "10.0.0.8:80"}'])).toEqual([
      'web.yaml:10:7 The rule no changes nothing: no rule accepts any of it.',
    ]);
  });

  test('more than anybody can compare are not compared, and that is said', () => {
    const blocks = Array.from({ length: 250 }, (_, n) => `10.${n}.0.0/24`);
    const rules = Array.from({ length: 250 }, (_, n) => `r${n}: {port: ${n + 1}, to: [{set: blocks}]}`);
    expect(through(rules, [`sets: {blocks: [${blocks}]}`])).toEqual([
      expect.stringMatching(/^web\.yaml:9:\d+ These rules have too many ports, zones and addresses together/),
    ]);
  });
});
