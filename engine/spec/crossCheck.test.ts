import { describe, expect, test } from 'vitest';
import { hostKeyOf } from '../../test/hostKey.ts';
import { check, configuration, server } from './testing.ts';

const WEB = { 'hosts.yaml': server('web-1', '{role: web}') };

/** What the user reads for a Configuration whose spec has these lines after its targets, in line 6. */
function read(spec: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  return check({ ...WEB, ...files, 'c.yaml': configuration('web', `  targets: {all: true}\n${spec}`) });
}

describe('names and references', () => {
  test('two documents of one name', () => {
    const files = {
      'a.yaml': server('web-1'),
      'b.yaml': `---\n${server('web-1').replace('web-1.test', 'other')}`,
    };
    expect(check(files)).toEqual([
      'b.yaml:2:55 Server/web-1 is already declared in a.yaml line 1; choose another name.',
    ]);
  });

  test('two servers of one address', () => {
    expect(check({ 'a.yaml': server('a'), 'b.yaml': server('b').replace('b.test', 'A.test') })).toEqual([
      'b.yaml:1:87 Server/a has the same address and port (in a.yaml line 1); one machine must be declared once.',
    ]);
  });

  test('two servers of one host key, whatever is written behind it', () => {
    const [a, b] = [hostKeyOf('a'), hostKeyOf('b')];
    const two = server('b').replace(`hostKey: ${b}`, `hostKeys: [${b}, ${a} root@b]`);
    const sentence =
      'has the same host key (in a.yaml line 1). If it is one machine, declare it once; if one was cloned from the other, give one of them host keys of its own: whoever owns either machine can pass for the other.';
    const files = { 'a.yaml': server('a'), 'b.yaml': server('b').replace(b, `${a} root@b`) };
    expect(check(files)).toEqual([`b.yaml:1:104 Server/a ${sentence}`]);
    expect(check({ 'a.yaml': server('a', '{}', 'site: x'), 'b.yaml': two })).toEqual([
      `b.yaml:1:188 Server/a ${sentence}`,
    ]);
  });

  test('a document that was copied with its address is told of the address', () => {
    const copy = server('a').replace('name: a', 'name: b');
    expect(check({ 'a.yaml': server('a'), 'b.yaml': copy })).toEqual([
      'b.yaml:1:87 Server/a has the same address and port (in a.yaml line 1); one machine must be declared once.',
    ]);
  });

  test('the same address behind a jump host is another machine', () => {
    const inner = server('b', '{}', 'jump: a').replace('b.test', 'a.test');
    expect(check({ 'a.yaml': server('a'), 'b.yaml': inner })).toEqual([]);
  });

  test('unknown servers', () => {
    const files = {
      'a.yaml': server('web-1', '{}', 'jump: wbe-1'),
      'b.yaml': configuration('base', '  targets: {hosts: [web-1, web-11, db]}\n'),
    };
    expect(check(files)).toEqual([
      'a.yaml:1:200 There is no Server with the name "wbe-1"; did you mean "web-1"?',
      'b.yaml:5:28 There is no Server with the name "web-11"; did you mean "web-1"?',
      'b.yaml:5:36 There is no Server with the name "db".',
    ]);
  });

  test('unknown documents to depend on', () => {
    const depends = 'dependsOn: [Configuration/bsae, Variables/web]\n';
    const files = {
      ...WEB,
      'a.yaml': configuration('base', '  targets: {all: true}\n'),
      'b.yaml': configuration('web', '  targets: {all: true}\n', depends),
    };
    expect(check(files)).toEqual([
      'b.yaml:4:13 There is no Configuration/bsae to depend on; did you mean "Configuration/base"?',
      'b.yaml:4:33 dependsOn names Variables/web, but only documents that change servers have an order; remove it.',
    ]);
  });

  test('documents that depend on each other, and one on itself', () => {
    const document = (name: string, on: string) =>
      configuration(name, '  targets: {all: true}\n', `dependsOn: [Configuration/${on}]\n`);
    expect(
      check({
        ...WEB,
        'a.yaml': document('a', 'b'),
        'b.yaml': document('b', 'c'),
        'c.yaml': document('c', 'a'),
        'd.yaml': document('d', 'd'),
      }),
    ).toEqual([
      'a.yaml:4:1 These documents depend on each other: Configuration/a -> Configuration/b -> Configuration/c -> Configuration/a; remove one of these references.',
      'd.yaml:4:1 Configuration/d refers to itself; remove that.',
    ]);
  });

  test('servers reached through each other', () => {
    expect(check({ 'a.yaml': server('a', '{}', 'jump: b'), 'b.yaml': server('b', '{}', 'jump: a') })).toEqual(
      [
        'a.yaml:1:192 These documents are reached through each other: Server/a -> Server/b -> Server/a; remove one of these references.',
      ],
    );
  });

  test('a chain of 2,000 documents is no cycle and exhausts no stack', () => {
    const chain = Array.from({ length: 2_000 }, (_, index) =>
      configuration(
        `c${index}`,
        '  targets: {all: true}\n',
        index === 0 ? '' : `dependsOn: [Configuration/c${index - 1}]\n`,
      ),
    );
    expect(check({ ...WEB, 'chain.yaml': chain.join('---\n') })).toEqual([]);
  });
});

describe('targets', () => {
  test.each([
    ['{labels: {role: wbe}}', 'c.yaml:5:3 No server has the labels role: wbe; did you mean "role: web"?'],
    ['{labels: {role: web, env: prod}}', 'c.yaml:5:3 No server has the labels role: web, env: prod.'],
    ['{}', 'c.yaml:5:3 "targets" must have exactly one of hosts, labels and all.'],
    ['{all: true, hosts: [web-1]}', 'c.yaml:5:3 "targets" must have exactly one of hosts, labels and all.'],
    ['{labels: {}}', 'c.yaml:5:3 "labels" of targets names no label; for every server write "all: true".'],
  ])('%s', (targets, sentence) => {
    expect(check({ ...WEB, 'c.yaml': configuration('web', `  targets: ${targets}\n`) })).toEqual([sentence]);
  });

  test('no servers at all', () => {
    expect(check({ 'c.yaml': configuration('web', '  targets: {all: true}\n') })).toEqual([
      'c.yaml:5:3 "targets" means all servers, but the repository declares none; add a Server document.',
    ]);
  });

  test('a label of the prototype selects nothing', () => {
    expect(
      check({ ...WEB, 'c.yaml': configuration('web', '  targets: {labels: {constructor: x}}\n') }),
    ).toEqual(['c.yaml:5:3 No server has the labels constructor: x.']);
  });
});

describe('paths on the server', () => {
  test.each([
    ['/etc/../root/x', 'contains ".."; write the path without it'],
    ['/etc/./x', 'contains "."; write the path without it'],
    ['/etc//x', 'contains "//"; write the path without it'],
    ['/etc/x/', 'ends in "/"; leave that out'],
    ['/', 'is the root directory, which cannot be managed'],
    ['/proc/sys/x', 'lies in /proc, which documents may not change'],
    ['/dev/sda', 'lies in /dev, which documents may not change'],
    ['/run/doaas/x', 'lies in /run/doaas, which documents may not change'],
    ['/var/lib/doaas', 'lies in /var/lib/doaas, which documents may not change'],
  ])('%s', (path, problem) => {
    expect(read(`  files: {${path}: {content: x}}\n`)).toEqual([`c.yaml:6:11 ${path} ${problem}.`]);
    expect(read(`  directories: {${path}: {}}\n`)).toEqual([`c.yaml:6:17 ${path} ${problem}.`]);
  });

  test('a relative one', () => {
    expect(read('  files: {etc/motd: {content: x}}\n')).toEqual([
      'c.yaml:6:11 "etc/motd" cannot be a name in "files"; expected an absolute path, such as /etc/motd.',
    ]);
  });

  test('names that only begin like a forbidden folder are allowed', () => {
    expect(
      read('  files: {/devel: {content: x}, /process/x: {content: x}, /run/doaas2: {content: x}}\n'),
    ).toEqual([]);
  });
});

describe('what a document says about one thing', () => {
  test.each([
    [
      'files: {/a: {mode: "0644"}}',
      '6:11 /a says nothing to write; give content, source, template or linkTo.',
    ],
    ['files: {/a: {content: x, linkTo: /b}}', '6:11 /a has content and linkTo; keep one of them.'],
    ['files: {/a: {content: x, state: absent}}', '6:11 /a has content and state; keep one of them.'],
    [
      'files: {/a: {linkTo: /b, mode: "0644"}}',
      '6:11 /a is a link, which has no mode of its own; remove that.',
    ],
    [
      'files: {/a: {state: absent, owner: a, mode: "0644"}}',
      '6:11 /a is to be absent, so it can have no owner and mode; remove one or the other.',
    ],
    [
      'packages: {vim: {state: absent, hold: true}}',
      '6:14 vim is to be absent, so it can have no hold; remove one or the other.',
    ],
    [
      'units: {a.service: {content: x, source: hosts.yaml}}',
      '6:11 a.service has content and source; keep one of them.',
    ],
    [
      'units: {a@.service: {enabled: true}}',
      '6:11 a@.service is a template unit, which cannot be enabled or run itself; name an instance such as a@1.service.',
    ],
    [
      'hostsEntries: {10.0.0.300: [db]}',
      '6:18 10.0.0.300 is not an IP address; write one such as 10.0.0.9 as the key and the names as its list.',
    ],
    ['scripts: {a: {check: x, apply: y, timeout: 2h}}', '6:46 "timeout" of a is 2h, but must be at most 1h.'],
    ['probes: [{status: 200}]', '6:12 A probe must have exactly one of http, tcp and command.'],
    [
      'probes: [{tcp: "a:80", http: "http://a"}]',
      '6:12 A probe must have exactly one of http, tcp and command.',
    ],
    ['probes: [{tcp: "a:80", status: 200}]', '6:12 A tcp probe has no status; remove that.'],
    ['probes: [{tcp: "a:99999"}]', '6:18 a:99999 has a port above 65535.'],
    [
      'probes: [{tcp: "a:80", within: 10ms}]',
      '6:34 "within" of item 1 of probes is 10ms, but must be at least 1s.',
    ],
    [
      'probes: [{tcp: "a:80", within: 5s, every: 10s}]',
      '6:45 "every" of item 1 of probes is 10s, but must be at most 5s.',
    ],
    [
      'variables: {port: {type: integer, default: "80"}}',
      '6:46 The default of port is "80", but is declared as a whole number.',
    ],
  ])('%s', (spec, sentence) => {
    expect(read(`  ${spec}\n`)).toEqual([`c.yaml:${sentence}`]);
  });

  test('a repository of packages without components', () => {
    const key = { 'k.asc': '-----BEGIN PGP PUBLIC KEY BLOCK-----\n' };
    const source = (rest: string) =>
      `  aptRepositories: {x: {uris: ["https://x.test"], key: k.asc, ${rest}}}\n`;
    expect(read(source('suites: [stable]'), key)).toEqual([
      'c.yaml:6:21 x has no "components", such as [main].',
    ]);
    expect(read(source('suites: [./], components: [main]'), key)).toHaveLength(1);
    expect(read(source('suites: [flat/], components: [main]'), key)).toEqual([
      'c.yaml:6:21 x mixes a flat suite (flat/) with components or other suites; split it in two.',
    ]);
    expect(read(source('suites: [flat/]'), key)).toEqual([]);
  });
});
