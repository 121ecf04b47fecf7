import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkRepository } from './check.ts';
import { type TemplateValue, toSecret } from './secrets.ts';
import { parseTemplate, renderTemplate } from './template.ts';
import { check, configuration, firstConfiguration, repository, sentences, server } from './testing.ts';

const SECRET = 'variables: {password: {type: secret}}';
const AGE = 'age-encryption.org/v1\n-> X25519 abc\n';

function values(text: string): string {
  return `apiVersion: doaas/v1\nkind: Variables\nmetadata: {name: v}\nspec:\n  targets: {all: true}\n  values: ${text}\n`;
}

function files(
  ref: string,
  { spec = 'files: {/etc/app.env: {template: app.env}}', template = 'A={{password}}\n', age = AGE } = {},
): Readonly<Record<string, string>> {
  return {
    'hosts.yaml': server('web-1'),
    'v.yaml': values(`{password: ${ref}}`),
    'c.yaml': configuration('app', `  targets: {all: true}\n  ${SECRET}\n  ${spec}\n`),
    'app.env': template,
    'secrets/app.age': age,
  };
}

const ENV = '{secretRef: {env: DB_PASSWORD}}';

function resolveFile(input: Readonly<Record<string, string>>) {
  const { resolution, errors } = checkRepository(repository(input));
  expect(sentences(errors)).toEqual([]);
  const file = firstConfiguration(resolution.hosts[0])?.files['/etc/app.env'];
  if (file?.state !== 'file') throw new Error('no file');
  const text = Buffer.from(resolution.payloads.get(file.content.sha256) ?? []).toString();
  return { file, text, payloads: resolution.payloads };
}

describe('a template of a file', () => {
  test('gets a placeholder, is for its owner only, and says what is to be filled in', () => {
    const { file, text } = resolveFile(files(ENV));
    expect(text).toBe('A=‹secret password›\n');
    expect(file.mode).toBe('0600');
    expect(file.content.sealed).toEqual([
      { name: 'password', placeholder: '‹secret password›', ref: { from: 'env', name: 'DB_PASSWORD' } },
    ]);
  });

  test('is bound to the encrypted file, which travels with the contents', () => {
    const { file, payloads } = resolveFile(files('{secretRef: {age: secrets/app.age, key: db}}'));
    const sha256 = createHash('sha256').update(AGE).digest('hex');
    expect(file.content.sealed?.[0]?.ref).toEqual({
      from: 'age',
      path: 'secrets/app.age',
      key: 'db',
      sha256,
    });
    expect(Buffer.from(payloads.get(sha256) ?? []).toString()).toBe(AGE);
  });

  test('without a secret has nothing sealed', () => {
    const { file } = resolveFile(files(ENV, { template: 'plain' }));
    expect(file.content).not.toHaveProperty('sealed');
    expect(file.mode).toBe('0644');
  });

  test('may not hold a text that reads like a placeholder', () => {
    expect(check(files(ENV, { template: 'A={{password}} ‹secret password›' }))).toEqual([
      'app.env:1:1 This template gives the text "‹secret password›" by itself, which stands for a secret; change that text (on web-1). It is used by Configuration/app (c.yaml line 7).',
    ]);
  });

  test('may not put such a text together from values', () => {
    const template = parseTemplate('t', '{{password}} ‹secret pass{{tail}}');
    if (template.kind === 'problem') throw new Error(template.message);
    const password = toSecret('password', { secretRef: { env: 'A' } }, () => '');
    const values = (tail: string) =>
      new Map<string, TemplateValue>([
        ['password', password],
        ['tail', tail],
      ]);
    expect(renderTemplate(template, values('port')).kind).toBe('rendered');
    expect(renderTemplate(template, values('word›')).kind).toBe('problem');
  });
});

describe('errors say where a secret cannot be', () => {
  test.each([
    [
      'clear text',
      files('hunter2'),
      /^v.yaml:6:22 The variable password stands in clear text, but is declared/,
    ],
    ['a unit', files(ENV, { spec: 'units: {a.service: {template: app.env}}' }), /every user can read a unit/],
    [
      'a file that others can read',
      files(ENV, { spec: 'files: {/etc/app.env: {template: app.env, mode: "0644"}}' }),
      /with the mode 0644 every user of the server can read \/etc\/app.env/,
    ],
    ['a section', files(ENV, { template: '{{#password}}x{{/password}}' }), /can only be printed/],
    ['an inverted section', files(ENV, { template: '{{^password}}x{{/password}}' }), /can only be printed/],
    ['no place', files('{secretRef: {}}'), /says no place; give age, env, file or vault/],
    ['two places', files('{secretRef: {env: A, file: b}}'), /has env and file; keep one of them/],
    ['age without a key', files('{secretRef: {age: secrets/app.age}}'), /has no "key"/],
    ['env with a key', files('{secretRef: {env: A, key: b}}'), /which env does not take/],
    ['no such file', files('{secretRef: {age: secrets/ap.age, key: a}}'), /did you mean "secrets\/app.age"/],
    [
      'a file in clear text',
      files('{secretRef: {age: secrets/app.age, key: a}}', { age: 'a: hunter2' }),
      /secrets\/app.age is not encrypted with age/,
    ],
    ['a way out', files('{secretRef: {file: ../etc/shadow}}'), /a path below DOAAS_SECRETS_DIR/],
    ["the engine's own settings", files('{secretRef: {env: "../GITHUB"}}'), /after DOAAS_SECRET_/],
    ['another address in Vault', files('{secretRef: {vault: "../sys/seal", key: a}}'), /MOUNT\/data\/PATH/],
  ])('%s', (_name, input, sentence) => {
    const errors = check(input);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(sentence);
    expect(errors.join()).not.toContain('hunter2');
  });

  test('a secretRef for what is no secret, and a secret with a default', () => {
    const spec = `  targets: {all: true}\n  variables: {password: {type: string}, other: {type: secret, default: hunter2}}\n`;
    const errors = check({ ...files(ENV), 'c.yaml': configuration('app', spec) });
    expect(errors.join('\n')).toMatch(/is a secretRef, but is declared as text/);
    expect(errors.join('\n')).toMatch(/The default of other stands in clear text/);
    expect(errors.join('\n')).not.toContain('hunter2');
  });
});
