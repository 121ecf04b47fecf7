import { describe, expect, test } from 'vitest';
import { cpuMs } from '../../test/cpuMs.ts';
import { MAX_ERRORS_PER_FILE } from './limits.ts';
import { loadManifest } from './load.ts';
import { check, configuration, repository, sentences, server } from './testing.ts';

function load(files: Readonly<Record<string, string>>, specRoot?: string): readonly string[] {
  const options = specRoot === undefined ? {} : { specRoot };
  return sentences(loadManifest(repository(files), options).errors);
}

describe('which files hold documents', () => {
  test.each([
    ['a document of another tool', 'apiVersion: v1\nkind: Service\n'],
    ['a template with braces', 'name: {{ .Values.name }}\n# not doaas/v1\n'],
    ['a list', '- doaas/v1\n'],
    ['a map with a kind of ours by chance', 'kind: Server\nname: x\n'],
    ['nothing', ''],
  ])('%s is left alone', (_, text) => {
    expect(load({ 'a.yaml': text })).toEqual([]);
  });

  test('folders that begin with a dot are left alone, whatever is in them', () => {
    expect(
      load({ '.github/a.yaml': 'apiVersion: doaas/v9\n', 'x/.y/a.yml': 'apiVersion: doaas/v9\n' }),
    ).toEqual([]);
  });

  test('.yml, folders and several documents to a file', () => {
    const { manifest, errors } = loadManifest(
      repository({ 'b/hosts.yml': `${server('b')}---\n${server('c')}`, 'a.yaml': server('a') }),
    );
    expect(errors).toEqual([]);
    expect(manifest.documents.map(({ ref, position }) => `${ref} ${position.file}:${position.line}`)).toEqual(
      ['Server/a a.yaml:1', 'Server/b b/hosts.yml:1', 'Server/c b/hosts.yml:3'],
    );
  });

  test('below the spec root every document must be ours', () => {
    const files = {
      'infra/a.yaml': 'apiVersion: v1\n',
      'infra/b.yaml': '- x\n',
      'infra/c.yaml': 'a: 1\n',
      'd.yaml': 'a: 1\n',
    };
    expect(load(files, 'infra')).toEqual([
      'infra/a.yaml:1:13 Unknown apiVersion "v1"; did you mean "doaas/v1"?',
      'infra/b.yaml:1:1 A document must be a map with apiVersion, kind, metadata and spec; write "---" between documents, not "- ".',
      'infra/c.yaml:1:1 This document has no apiVersion; write "apiVersion: doaas/v1".',
    ]);
  });
});

describe('the head of a document', () => {
  test.each([
    [
      'apiVersion: doaas/v2\nkind: Server\n',
      'a.yaml:1:13 Unknown apiVersion "doaas/v2"; did you mean "doaas/v1"?',
    ],
    ['apiVersion: doaas/v1\nkind: Sever\n', 'a.yaml:2:7 Unknown kind "Sever"; did you mean "Server"?'],
    [
      'apiVersion: doaas/v1\nkind: Volcano\n',
      'a.yaml:2:7 Unknown kind "Volcano"; known are Server, Variables, Configuration, Firewall, Hardening, PatchPolicy.',
    ],
    [
      'apiVersion: doaas/v1\nmetadata: {}\n',
      'a.yaml:1:1 This document has no kind; write one of Server, Variables, Configuration, Firewall, Hardening, PatchPolicy.',
    ],
    [
      'apiversion: doaas/v1\nkind: Server\n',
      'a.yaml:1:1 Unknown property "apiversion" in a document; did you mean "apiVersion"?',
    ],
    [
      'apiVersion: v1\nkind: server\nmetadata: {name: a}\nspec: {}\n',
      'a.yaml:1:13 Unknown apiVersion "v1"; did you mean "doaas/v1"?',
    ],
    ['apiVersion: 1\nkind: Configuration\n', 'a.yaml:1:13 Unknown apiVersion 1; did you mean "doaas/v1"?'],
    [
      'apiVersion: doas/v1\nkind: Sevrer\n',
      'a.yaml:1:13 Unknown apiVersion "doas/v1"; did you mean "doaas/v1"?',
    ],
    [
      'apiVersion: doaas/v1\nkind:\n',
      'a.yaml:1:1 This document has no kind; write one of Server, Variables, Configuration, Firewall, Hardening, PatchPolicy.',
    ],
    [
      '- apiVersion: doaas/v1\n  kind: Server\n',
      'a.yaml:1:1 A document must be a map with apiVersion, kind, metadata and spec; write "---" between documents, not "- ".',
    ],
    [
      'kind: Configuration\nspec: {}\n',
      'a.yaml:1:1 This document has no apiVersion; write "apiVersion: doaas/v1".',
    ],
    [
      'kind: Server\nmetadata: {name: a}\nspec: {}\n',
      'a.yaml:1:1 This document has no apiVersion; write "apiVersion: doaas/v1".',
    ],
  ])('%j', (text, sentence) => {
    expect(load({ 'a.yaml': text })).toEqual([sentence]);
  });
});

test.each([
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'apiVersion: serving.knative.dev/v1\nkind: Configuration\nmetadata: {name: a}\nspec: {}\n',
  '- name: a playbook\n  hosts: all\n',
])('YAML of other programs is left alone: %j', (text) => {
  expect(load({ 'a.yaml': text })).toEqual([]);
});

test('a document with mistakes does not make mistakes of those that refer to it', () => {
  const files = {
    'a.yaml': server('web-1').replace('address', 'adress'),
    'b.yaml': configuration('base', '  targets: {labels: {role: web}}\n  packages: 5\n'),
    'c.yaml': configuration('web', '  targets: {hosts: [web-1]}\n', 'dependsOn: [Configuration/base]\n'),
  };
  expect(check(files)).toEqual([
    'a.yaml:1:75 "spec" has no "address", which is required.',
    'a.yaml:1:82 Unknown property "adress" in "spec"; did you mean "address"?',
    'b.yaml:6:13 "packages" must be a map of names to values, not 5; for example {nginx: {}, telnet: {state: absent}}.',
  ]);
});

test('what has no mistake by the schema is checked further in the same round', () => {
  const files = {
    'a.yaml': server('web-1'),
    'c.yaml': configuration(
      'c',
      '  targets: {hosts: [web-1, wbe-1]}\n' +
        '  variables: {port: {type: integer, default: 1}}\n' +
        '  pakages: {}\n' +
        '  files: {/a: {content: x, mode: 0644}, /b: {content: x, source: y}, /t: {template: t}, /s: {src: t}}\n' +
        '  probes: [{}, {htp: "http://x"}]\n' +
        '  users: {deploy: {}}\n',
      'dependsOn: [Configuration/nothing]\n',
    ),
    'd.yaml': configuration('d', '  targets: {all: true}\n  users: {deploy: {}}\n'),
    t: '{{port}} {{prot}}',
  };
  expect(check(files)).toEqual([
    'c.yaml:4:13 There is no Configuration/nothing to depend on.',
    'c.yaml:6:28 There is no Server with the name "wbe-1"; did you mean "web-1"?',
    'c.yaml:8:3 Unknown property "pakages" in "spec"; did you mean "packages"?',
    'c.yaml:9:34 "mode" of /a must be text; write "0644" in quotes: YAML reads 0644 as 644.',
    'c.yaml:9:41 /b has content and source; keep one of them.',
    'c.yaml:9:66 There is no file y in the repository.',
    'c.yaml:9:94 Unknown property "src" in "/s" of files; known are state, content, source, template, linkTo, owner, group, mode, notify.',
    'c.yaml:10:17 Unknown property "htp" in item 2 of probes; did you mean "http"?',
    'd.yaml:6:11 deploy is also written by Configuration/c (c.yaml line 11), on web-1; keep it in one place.',
    't:1:10 This template uses "prot", which is not declared; did you mean "port"? It is used by Configuration/c (c.yaml line 9).',
  ]);
});

test('a mistake in what others depend on makes no mistakes of them', () => {
  const files = {
    'a.yaml': server('web-1', '{role: 1}'),
    'b.yaml': configuration(
      'b',
      '  targets: {labels: {role: "1"}}\n  variables: {port: {type: int}}\n  files: {/t: {template: t}}\n',
    ),
    'c.yaml': configuration('c', '  target: {all: true}\n  files: {/t: {template: t, mode: 1}}\n'),
    t: '{{port}}',
  };
  expect(check(files)).toEqual([
    'a.yaml:1:77 "role" of labels must be text; write "1" in quotes: YAML reads 1 as a number.',
    'b.yaml:6:28 "type" of port must be one of string, integer, number, boolean, list, secret, not "int"; did you mean "integer"?',
    'c.yaml:4:1 "spec" has no "targets", which is required.',
    'c.yaml:5:3 Unknown property "target" in "spec"; did you mean "targets"?',
    'c.yaml:6:35 "mode" of /t must be text, not 1; expected an octal mode in quotes, such as "0644".',
  ]);
});

test('a variable is not missing where the document that sets it has a mistake', () => {
  const files = {
    'a.yaml': server('web-1'),
    'c.yaml': configuration('c', '  targets: {all: true}\n  variables: {port: {type: integer}}\n'),
    'v.yaml':
      'apiVersion: doaas/v1\nkind: Variables\nmetadata: {name: v}\nspec: {targets: {all: true}, valeus: {port: 1}}\n',
  };
  expect(check(files)).toEqual([
    'v.yaml:4:1 "spec" has no "values", which is required.',
    'v.yaml:4:30 Unknown property "valeus" in "spec"; did you mean "values"?',
  ]);
});

test('hostile input costs little', () => {
  const long = 'x'.repeat(900);
  const names = Array.from({ length: 2_000 }, (_, index) => `${long}/${index}`);
  const files = Object.fromEntries(names.map((name) => [name, '']));
  const sources = names
    .slice(0, 900)
    .map((name) => `    /${name.length}${name.slice(901)}: {source: ${long}/z${name.slice(901)}}\n`);
  const spec = `  targets: {all: true}\n  files:\n${sources.join('')}`;
  // Comparing each name with each took minutes.
  expect(
    cpuMs(() => {
      expect(check({ ...files, 'a.yaml': server('a'), 'c.yaml': configuration('c', spec) })).toHaveLength(
        MAX_ERRORS_PER_FILE,
      );
    }),
  ).toBeLessThan(10_000);
});

test('what all files hold together is bounded, and what is not ours is no more looked at then', () => {
  const padded = (text: string) => `${text}# ${'x'.repeat(900_000)}\n`;
  const many = (text: (n: number) => string) =>
    Object.fromEntries(Array.from({ length: 3 }, (_, n) => [`${n}.yaml`, padded(text(n))]));
  const { errors, complete, manifest } = loadManifest(repository(many((n) => server(`web-${n}`))));
  expect(sentences(errors)).toEqual([
    '2.yaml:1:1 The files with documents up to this one, by name, have more than 2097152 bytes, or more than 100000 values; no more are read. Move long texts to files that a `source` names, or split the repository.',
  ]);
  expect(complete).toBe(false);
  expect(manifest.documents.map(({ ref }) => ref)).toEqual(['Server/web-0', 'Server/web-1']);

  const packages = Array.from({ length: 2_000 }, (_, n) => `p${n}: {}`).join(', ');
  const dear = Array.from({ length: 60 }, (_, n) => [
    `${n}.yaml`,
    configuration(`c${n}`, `  targets: {all: true}\n  packages: {${packages}}\n`),
  ]);
  expect(
    loadManifest(repository({ 'a.yaml': server('a'), ...Object.fromEntries(dear) })).errors,
  ).toMatchObject([{ code: 'too-many' }]);

  const texts = dear.map(([, text]) => text);
  const files = { 'b.yaml': texts.slice(0, 40).join('---\n'), 'c.yaml': texts.slice(40).join('---\n') };
  expect(loadManifest(repository({ 'a.yaml': server('a'), ...files }))).toMatchObject({
    complete: false,
    errors: [{ code: 'too-many', position: { file: 'c.yaml' } }],
  });

  const foreign = many(() => 'apiVersion: v1\nkind: Service\n');
  const beside = loadManifest(repository({ ...foreign, 'z.yaml': server('web') }));
  expect(beside).toMatchObject({ complete: true, errors: [] });
  expect(beside.manifest.documents).toHaveLength(1);
});

test('the errors of one file are bounded', () => {
  const packages = Array.from({ length: 500 }, (_, index) => `    P${index}: {}\n`).join('');
  expect(
    check({
      'a.yaml': server('a'),
      'b.yaml': configuration('b', `  targets: {all: true}\n  packages:\n${packages}`),
    }),
  ).toHaveLength(MAX_ERRORS_PER_FILE);
});

test('200 documents take less than 200 ms', () => {
  const spec =
    '  targets: {all: true}\n  files: {/etc/NAME: {content: "hello\\n", mode: "0644"}}\n  packages: {NAME: {}}\n';
  const files = repository({
    ...Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`hosts/${i}.yaml`, server(`web-${i}`, '{role: web}')]),
    ),
    ...Object.fromEntries(
      Array.from({ length: 180 }, (_, i) => [
        `${i}.yaml`,
        configuration(`c${i}`, spec.replaceAll('NAME', `n${i}`)),
      ]),
    ),
  });
  loadManifest(files);
  // The fastest of a few: other work on the machine must not decide.
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    expect(loadManifest(files).errors).toEqual([]);
    return performance.now() - start;
  });
  expect(Math.min(...times)).toBeLessThan(200);
});
