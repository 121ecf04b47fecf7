import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hostKeyOf } from '../../test/hostKey.ts';
import { checkRepository } from './check.ts';
import type { ResolvedHost } from './resolution.ts';
import { check, configuration, firstConfiguration, repository, sentences, server } from './testing.ts';

const WEB = {
  'hosts.yaml': [1, 2].map((n) => server(`web-${n}`, '{role: web}')).join('---\n'),
};
const ALL = '  targets: {all: true}\n';

function resolve(files: Readonly<Record<string, string | Uint8Array>>): {
  readonly hosts: readonly ResolvedHost[];
  readonly text: (sha256: string) => string;
} {
  const { resolution, errors } = checkRepository(repository(files));
  expect(sentences(errors)).toEqual([]);
  return {
    hosts: resolution.hosts,
    text: (sha256) => Buffer.from(resolution.payloads.get(sha256) ?? []).toString(),
  };
}

function variables(name: string, targets: string, values: string): string {
  return `apiVersion: doaas/v1\nkind: Variables\nmetadata: {name: ${name}}\nspec:\n  targets: ${targets}\n  values: ${values}\n`;
}

/** A configuration that prints the variable `port` into a file. */
const PORT = configuration(
  'port',
  `${ALL}  variables: {port: {type: integer, default: 1}}\n  files: {/port: {template: port.mustache}}\n`,
);

function ports(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { hosts, text } = resolve({ ...WEB, 'port.yaml': PORT, 'port.mustache': '{{port}}', ...files });
  return Object.fromEntries(
    hosts.map((host) => {
      const file = firstConfiguration(host)?.files['/port'];
      return [host.name, file?.state === 'file' ? text(file.content.sha256) : ''];
    }),
  );
}

describe('defaults', () => {
  test('of every section', () => {
    const spec = `${ALL}  aptRepositories: {x: {uris: ["https://x.test"], suites: [a], components: [main], key: k.gpg}}
  packages: {a1: {}, b1: {version: "1.*", hold: true}, c1: {state: absent}}
  directories: {/d: {}, /e: {state: absent}}
  files: {/f: {content: "x\\n", notify: {reload: [b.service, a.service, c.service], restart: [c.service]}}, /l: {linkTo: f}, /n: {state: absent}}
  groups: {g: {}, h: {gid: 5, system: true}}
  users: {u: {}, v: {groups: [b, a], authorizedKeys: []}}
  units: {a.service: {enabled: true}, b.timer: {content: "[Timer]\\n"}, c.service: {state: absent}}
  sysctl: {net.ipv4.ip_forward: 1}
  hostsEntries: {10.0.0.9: [db, db.internal]}
  scripts: {s: {check: x, apply: y}}
  probes: [{http: "http://a"}, {tcp: "[::1]:80", within: 2m, every: 500ms}, {command: [a]}]
`;
    const { hosts, text } = resolve({
      'h.yaml': server('web-1', '{}', 'user: deploy'),
      'c.yaml': configuration('all', spec),
      'k.gpg': new Uint8Array([0x99, 1]),
    });
    const [host] = hosts;
    const document = host?.documents[0];
    expect(host?.server).toEqual({
      name: 'web-1',
      address: 'web-1.test',
      port: 22,
      user: 'deploy',
      become: 'sudo',
      site: 'default',
      hostKeys: [hostKeyOf('web-1')],
      labels: {},
    });
    const none = { reload: [], restart: [] };
    const payload = (bytes: string | Uint8Array, isText = true) => ({
      sha256: createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
      text: isText,
    });
    expect(document).toMatchObject({ ref: 'Configuration/all', wave: 0, onRemoval: 'restore' });
    expect(document?.spec).toEqual({
      aptRepositories: {
        x: {
          uris: ['https://x.test'],
          suites: ['a'],
          components: ['main'],
          architectures: [],
          key: payload(new Uint8Array([0x99, 1]), false),
          armored: false,
        },
      },
      packages: {
        a1: { state: 'present', hold: false },
        b1: { state: 'present', version: '1.*', hold: true },
        c1: { state: 'absent' },
      },
      directories: {
        '/d': { state: 'directory', mode: '0755', owner: 'root', group: 'root', notify: none },
        '/e': { state: 'absent', notify: none },
      },
      files: {
        '/f': {
          state: 'file',
          mode: '0644',
          owner: 'root',
          group: 'root',
          content: payload('x\n'),
          notify: { reload: ['a.service', 'b.service'], restart: ['c.service'] },
        },
        '/l': { state: 'link', linkTo: 'f', notify: none },
        '/n': { state: 'absent', notify: none },
      },
      groups: { g: { state: 'present', system: false }, h: { state: 'present', gid: 5, system: true } },
      users: {
        u: { state: 'present', system: false },
        v: { state: 'present', groups: ['a', 'b'], system: false, authorizedKeys: [] },
      },
      units: {
        'a.service': { state: 'present', enabled: true },
        'b.timer': { state: 'present', content: payload('[Timer]\n') },
        'c.service': { state: 'absent' },
      },
      sysctl: { 'net.ipv4.ip_forward': '1' },
      hostsEntries: { '10.0.0.9': ['db', 'db.internal'] },
      scripts: { s: { check: 'x', apply: 'y', timeoutSeconds: 300 } },
      probes: [
        { kind: 'http', url: 'http://a', status: 200, withinSeconds: 30, everySeconds: 1 },
        { kind: 'tcp', address: '::1', port: 80, withinSeconds: 120, everySeconds: 0.5 },
        { kind: 'command', argv: ['a'], user: 'nobody', exit: 0, withinSeconds: 30, everySeconds: 1 },
      ],
    });
    expect(text(payload('x\n').sha256)).toBe('x\n');
  });

  test('a server behind another', () => {
    const { hosts } = resolve({ 'h.yaml': `${server('a')}---\n${server('b', '{}', 'jump: a, port: 2222')}` });
    expect(hosts[1]?.server).toMatchObject({
      name: 'b',
      port: 2222,
      become: 'none',
      jump: { name: 'a', port: 22 },
    });
    expect(hosts.map(({ jumpFor }) => jumpFor)).toEqual([['b'], undefined]);
  });
});

describe('order', () => {
  test('documents come after what they depend on, in waves', () => {
    const document = (name: string, on: string) => configuration(name, ALL, `dependsOn: [${on}]\n`);
    const { hosts } = resolve({
      ...WEB,
      'a.yaml': document('a', 'Configuration/z'),
      'b.yaml': document('b', 'Configuration/a, Configuration/z'),
      'z.yaml': document('z', ''),
      'y.yaml': document('y', ''),
    });
    expect(hosts[1]?.documents.map(({ ref, wave }) => `${ref} ${wave}`)).toEqual([
      'Configuration/y 0',
      'Configuration/z 0',
      'Configuration/a 1',
      'Configuration/b 2',
    ]);
  });
});

describe('variables', () => {
  test('the most specific wins: server, host, labels, all, default', () => {
    expect(ports({})).toEqual({ 'web-1': '1', 'web-2': '1' });
    const all = variables('all', '{all: true}', '{port: 2}');
    expect(ports({ 'v.yaml': all })).toEqual({ 'web-1': '2', 'web-2': '2' });
    const web = variables('web', '{labels: {role: web}}', '{port: 3}');
    expect(ports({ 'v.yaml': `${all}---\n${web}` })).toEqual({ 'web-1': '3', 'web-2': '3' });
    const one = variables('one', '{hosts: [web-2]}', '{port: 4}');
    expect(ports({ 'v.yaml': `${one}---\n${all}---\n${web}` })).toEqual({ 'web-1': '3', 'web-2': '4' });
    const hosts = [
      server('web-1', '{role: web}', 'variables: {port: 5}'),
      server('web-2', '{role: web}'),
    ].join('---\n');
    expect(ports({ 'hosts.yaml': hosts, 'v.yaml': `${one}---\n${web}` })).toEqual({
      'web-1': '5',
      'web-2': '4',
    });
  });

  test('two equally close documents', () => {
    const files = {
      ...WEB,
      'port.yaml': PORT,
      'port.mustache': '{{port}}',
      'a.yaml': variables('a', '{labels: {role: web}}', '{port: 2}'),
      'b.yaml': variables('b', '{labels: {role: web}}', '{port: 3}'),
    };
    expect(check(files)[0]).toBe(
      'b.yaml:6:12 Variables/b and Variables/a both set port for web-1 and select it equally closely; remove one of the two, or name the host in one of them.',
    );
    const closer = variables('c', '{hosts: [web-1, web-2]}', '{port: 4}');
    expect(check({ ...files, 'c.yaml': closer })).toEqual([]);
  });

  test('a wrong type, an unknown name and a missing value', () => {
    const needed = configuration('x', `${ALL}  variables: {port: {type: integer}, name: {type: string}}\n`);
    const files = {
      ...WEB,
      'c.yaml': needed,
      'v.yaml': variables('v', '{all: true}', '{port: "80", prot: 1}'),
    };
    expect(check(files)).toEqual([
      'c.yaml:6:38 The variable name has no value on web-1; set it on the server or in a Variables document, or give it a default.',
      'c.yaml:6:38 The variable name has no value on web-2; set it on the server or in a Variables document, or give it a default.',
      'v.yaml:6:18 The variable port is "80", but is declared as a whole number by Configuration/x.',
      'v.yaml:6:24 No Configuration declares the variable "prot"; did you mean "port"?',
    ]);
  });
});

describe('files of the repository', () => {
  const read = (source: string, files: Readonly<Record<string, string | Uint8Array>> = {}) =>
    check({ ...WEB, ...files, 'c.yaml': configuration('c', `${ALL}  files: {/f: {${source}}}\n`) });

  test.each([
    [
      'source: files/motd',
      'c.yaml:6:24 There is no file files/motd in the repository; did you mean "files/mtd"?',
    ],
    ['source: ../motd', 'c.yaml:6:24 ../motd may lead out of the repository; write it without "..".'],
    [
      'source: files/../../motd',
      'c.yaml:6:24 files/../../motd may lead out of the repository; write it without "..".',
    ],
    ['source: /etc/shadow', 'c.yaml:6:24 /etc/shadow is absolute; write it from the root of the repository.'],
    ['source: ./files/mtd', 'c.yaml:6:24 ./files/mtd contains "."; write the path without it.'],
    [
      'template: bad',
      'bad:2:1 This template is not valid: unclosed tag. It is used by Configuration/c (c.yaml line 6).',
    ],
    [
      'template: undeclared',
      'undeclared:2:3 This template uses "prot", which is not declared; declare it under "variables". It is used by Configuration/c (c.yaml line 6).',
    ],
    [
      'template: label',
      'label:1:1 This template uses "host.labels.env", which has no value; give the server that label, or write {{#host.labels.env}}{{.}}{{/host.labels.env}} (on web-1 and web-2). It is used by Configuration/c (c.yaml line 6).',
    ],
    [
      'template: binary',
      'binary:1:1 This template is not UTF-8, so it cannot be one; use "source" to copy it. It is used by Configuration/c (c.yaml line 6).',
    ],
  ])('%s', (source, sentence) => {
    const files = {
      'files/mtd': 'x',
      bad: 'a\n{{x',
      undeclared: 'a\nb {{prot}}',
      label: '{{host.labels.env}}',
      binary: new Uint8Array([0xff, 0xfe, 0]),
    };
    expect(read(source, files)).toEqual([sentence]);
  });

  test('a mistake in a template is one error, however many documents and servers meet it', () => {
    const using = (name: string) =>
      configuration(
        name,
        `${ALL}  variables: {port: {type: integer}}\n  files: {/${name}: {template: t.conf}}\n`,
      );
    const files = repository({
      ...WEB,
      't.conf': 'listen {{prot}};\nname {{nam}};\n',
      ...Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.yaml`, using(name)])),
      'v.yaml': variables('v', '{all: true}', '{port: 1}'),
    });
    const { errors } = checkRepository(files);
    const users =
      'It is used by Configuration/a (a.yaml line 7), Configuration/b (b.yaml line 7), Configuration/c (c.yaml line 7) and 1 more.';
    expect(sentences(errors)).toEqual([
      `t.conf:1:8 This template uses "prot", which is not declared; did you mean "port"? ${users}`,
      `t.conf:2:6 This template uses "nam", which is not declared; declare it under "variables". ${users}`,
    ]);
    expect(errors[0]?.position).toEqual({ file: 't.conf', line: 1, column: 8, endLine: 1, endColumn: 16 });
    expect(errors[0]?.usedBy).toHaveLength(4);
    expect(errors[0]?.usedBy?.[1]).toMatchObject({
      document: 'Configuration/b',
      position: { file: 'b.yaml', line: 7 },
    });
  });

  test('what one document declares another may lack: the error names that one only', () => {
    const template = 'files: {/NAME: {template: t.conf}}\n';
    const files = {
      ...WEB,
      't.conf': '{{port}}',
      'a.yaml': configuration(
        'a',
        `${ALL}  variables: {port: {type: integer, default: 1}}\n  ${template.replace('NAME', 'a')}`,
      ),
      'b.yaml': configuration('b', `${ALL}  ${template.replace('NAME', 'b')}`),
    };
    expect(check(files)).toEqual([
      't.conf:1:1 This template uses "port", which is not declared; declare it under "variables". It is used by Configuration/b (b.yaml line 6).',
    ]);
  });

  test('a link is not followed, and the error says so', () => {
    const files = repository({
      ...WEB,
      'c.yaml': configuration('c', `${ALL}  files: {/f: {source: link/passwd}}\n`),
    });
    expect(sentences(checkRepository(files, { links: new Set(['link']) }).errors)).toEqual([
      'c.yaml:6:24 link/passwd goes through the symbolic link link, which is not followed; name the file itself.',
    ]);
  });

  test('what the reader left out is named with its reason', () => {
    const files = repository({
      ...WEB,
      'c.yaml': configuration('c', `${ALL}  files: {/f: {source: big}}\n`),
    });
    const refused = [
      { path: 'big', why: '2000000 bytes long, over the limit of 1048576', reason: 'size' },
      { path: 'big.yaml', why: '2000000 bytes long, over the limit of 1048576', reason: 'size' },
      { path: '.x/big.yaml', why: '2000000 bytes long, over the limit of 1048576', reason: 'size' },
    ];
    expect(sentences(checkRepository(files, { refused }).errors)).toEqual([
      'big.yaml:1:1 This file has more than the 1024 KiB that a YAML file may have; split it.',
      'c.yaml:6:24 big cannot be used: it is 2000000 bytes long, over the limit of 1048576.',
    ]);
  });

  test('a key that is no key', () => {
    const spec = `${ALL}  aptRepositories: {x: {uris: ["https://x.test"], suites: [a], components: [main], key: k.asc}}\n`;
    expect(check({ ...WEB, 'c.yaml': configuration('c', spec), 'k.asc': '<html>' })).toEqual([
      'c.yaml:6:89 k.asc is not an OpenPGP public key; give one that is armored (.asc) or binary (.gpg).',
    ]);
  });
});

describe('two documents that write the same thing on one host', () => {
  test.each([
    [
      'files: {/f: {content: x}}',
      '6:11 /f is also written by Configuration/a (a.yaml line 6), on web-1 and web-2; keep it in one place.',
    ],
    [
      'packages: {nginx: {}}',
      '6:14 nginx is also written by Configuration/a (a.yaml line 6), on web-1 and web-2; keep it in one place.',
    ],
    [
      'users: {deploy: {}}',
      '6:11 deploy is also written by Configuration/a (a.yaml line 6), on web-1 and web-2; keep it in one place.',
    ],
    [
      'units: {a.service: {running: true}}',
      '6:11 a.service is also written by Configuration/a (a.yaml line 6), on web-1 and web-2; keep it in one place.',
    ],
    [
      'sysctl: {net.core.somaxconn: "1"}',
      '6:12 net.core.somaxconn is also written by Configuration/a (a.yaml line 6), on web-1 and web-2; keep it in one place.',
    ],
    [
      'timezone: UTC',
      '6:3 The timezone is also written by Configuration/a (a.yaml line 6), on web-1 and web-2; keep it in one place.',
    ],
  ])('%s', (spec, sentence) => {
    const files = {
      ...WEB,
      'a.yaml': configuration('a', `${ALL}  ${spec}\n`),
      'b.yaml': configuration('b', `${ALL}  ${spec}\n`),
    };
    expect(check(files)).toEqual([`b.yaml:${sentence}`]);
  });

  test('a unit with a text and a file at its place', () => {
    const spec = `${ALL}  files: {/etc/systemd/system/a.service: {content: x}}\n  units: {a.service: {content: x}}\n`;
    expect(check({ ...WEB, 'a.yaml': configuration('a', spec) })).toEqual([
      'a.yaml:7:23 /etc/systemd/system/a.service is also written by Configuration/a (a.yaml line 6), on web-1 and web-2; keep it in one place.',
    ]);
  });

  test.each([
    [
      'hostsEntries: {10.0.0.1: [a], 10.0.0.2: [b]}\n  files: {/etc/hosts: {content: x}}',
      '7:11 /etc/hosts is also written by "hostsEntries" of Configuration/a (a.yaml line 6)',
    ],
    [
      'timezone: UTC\n  files: {/etc/timezone: {content: x}}',
      '7:11 /etc/timezone is also written by "timezone" of Configuration/a (a.yaml line 6)',
    ],
    [
      'locale: {LANG: C.UTF-8}\n  files: {/etc/default/locale: {content: x}}',
      '7:11 /etc/default/locale is also written by "locale" of Configuration/a (a.yaml line 6)',
    ],
    [
      'sysctl: {net.ipv4.ip_forward: 1}\n  files: {/etc/sysctl.d/99-zz-doaas-net.ipv4.ip_forward.conf: {state: absent}}',
      '7:11 /etc/sysctl.d/99-zz-doaas-net.ipv4.ip_forward.conf is also written by "sysctl" of Configuration/a (a.yaml line 6)',
    ],
    [
      'users: {deploy: {home: /srv/deploy, authorizedKeys: []}}\n  files: {/srv/deploy/.ssh/authorized_keys: {content: x}}',
      '7:11 /srv/deploy/.ssh/authorized_keys is also written by "authorizedKeys" of Configuration/a (a.yaml line 6)',
    ],
    [
      'groups: {deploy: {}}\n  files: {/etc/group: {content: x}}',
      '7:11 /etc/group is also written by "groups" of Configuration/a (a.yaml line 6)',
    ],
    [
      'units: {a.service: {state: absent}}\n  files: {/etc/systemd/system/a.service: {content: x}}',
      '7:11 /etc/systemd/system/a.service is also written by "units" of Configuration/a (a.yaml line 6)',
    ],
  ])('a file that a section writes too: %s', (spec, sentence) => {
    expect(check({ ...WEB, 'a.yaml': configuration('a', `${ALL}  ${spec}\n`) })).toEqual([
      `a.yaml:${sentence}, on web-1 and web-2; keep it in one place.`,
    ]);
  });

  test('a file that brings a unit that only runs is no second writer', () => {
    const spec = `${ALL}  files: {/etc/systemd/system/a.service: {content: x}}\n  units: {a.service: {running: true}}\n`;
    expect(check({ ...WEB, 'a.yaml': configuration('a', spec) })).toEqual([]);
  });

  test.each([
    ['files: {/lib/x: {content: a}, /usr/lib/x: {content: b}}', '6:33 /usr/lib/x is also written by'],
    ['files: {/run/x: {content: a}, /var/run/x: {content: b}}', '6:33 /var/run/x is also written by'],
    ['hostsEntries: {"::1": [a], "0:0:0:0:0:0:0:1": [b]}', '6:30 0:0:0:0:0:0:0:1 is also written by'],
  ])('one thing by two names: %s', (spec, sentence) => {
    expect(check({ ...WEB, 'a.yaml': configuration('a', `${ALL}  ${spec}\n`) })).toEqual([
      `a.yaml:${sentence} Configuration/a (a.yaml line 6), on web-1 and web-2; keep it in one place.`,
    ]);
  });

  test.each([
    ['users: {a: {uid: 1500}, b: {uid: 1500}, c: {uid: 1501}}', '6:31 The uid 1500'],
    ['groups: {a: {gid: 1500}, b: {gid: 1500}, c: {gid: 1501}}', '6:32 The gid 1500'],
  ])('a number given twice: %s', (spec, sentence) => {
    expect(check({ ...WEB, 'a.yaml': configuration('a', `${ALL}  ${spec}\n`) })).toEqual([
      `a.yaml:${sentence} is also given by Configuration/a (a.yaml line 6), on web-1 and web-2; choose another.`,
    ]);
  });

  test('a path below a file', () => {
    const spec = `${ALL}  files: {/srv/a: {content: x}, /srv/b: {linkTo: c}, /srv/b/x: {content: x}}\n  directories: {/srv/a/b/c: {}}\n`;
    expect(check({ ...WEB, 'a.yaml': configuration('a', spec) })).toEqual([
      'a.yaml:7:17 /srv/a/b/c lies below /srv/a, which is a file by Configuration/a (a.yaml line 6), on web-1 and web-2; change one of them.',
    ]);
  });

  test('on different hosts they may', () => {
    const on = (host: string) =>
      configuration(host, `  targets: {hosts: [${host}]}\n  files: {/f: {content: x}}\n`);
    expect(check({ ...WEB, 'a.yaml': on('web-1'), 'b.yaml': on('web-2') })).toEqual([]);
  });
});

test('small files cannot ask for endless work', () => {
  const hosts = Array.from({ length: 1_100 }, (_, n) => server(`h${n}`)).join('---\n');
  const packages = Array.from({ length: 1_000 }, (_, n) => `p${n}: {}`).join(', ');
  expect(
    check({ 'hosts.yaml': hosts, 'c.yaml': configuration('c', `${ALL}  packages: {${packages}}\n`) }),
  ).toEqual([
    'c.yaml:5:3 With this document, all documents together have more than 1000000 items on all servers; split the repository.',
  ]);
});
