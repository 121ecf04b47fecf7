import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_SOURCE_FILE_BYTES } from '../spec/limits.ts';
import { configuration, server } from '../spec/testing.ts';
import { doaas } from './testing.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'doaas-validate-'));
});
afterEach(() => rm(root, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const run = (argv: readonly string[], isTTY = false) => doaas(['validate', ...argv], isTTY);

describe('the examples', () => {
  test.each([
    ['minimal', 'Valid: 2 documents, 1 server.\n'],
    ['web', 'Valid: 6 documents, 3 servers.\n'],
    ['firewall', 'Valid: 6 documents, 3 servers.\n'],
    ['hardening', 'Valid: 4 documents, 2 servers.\n'],
    ['patches', 'Valid: 6 documents, 4 servers.\n'],
  ])('%s', async (name, stdout) => {
    expect(await run([join(EXAMPLES, name)])).toEqual({ status: 0, stdout, stderr: '' });
  });
});

test('what is odd is said, and is no mistake', async () => {
  const firewall =
    '{apiVersion: doaas/v1, kind: Firewall, metadata: {name: f}, spec: {targets: {all: true}, ';
  await write({ 'hosts.yaml': server('web-1'), 'f.yaml': `${firewall}\n  sets: {office: [10.0.0.0/8]}}}\n` });
  expect(await run([root])).toEqual({
    status: 0,
    stdout: 'f.yaml:2:10: warning: No rule uses the set office.\nValid: 2 documents, 1 server.\n',
    stderr: '',
  });
});

describe('a repository with mistakes', () => {
  beforeEach(() =>
    write({
      'hosts.yaml': server('web-1'),
      'conf/a.yaml': configuration('a', '  targets: {all: true}\n  files: {/a: {mode: 0644, content: x}}\n'),
      '.git/b.yaml': 'apiVersion: doaas/v9\n',
    }),
  );
  const sentence = '"mode" of /a must be text; write "0644" in quotes: YAML reads 0644 as 644.';

  test('gives each with its place', async () => {
    expect(await run([root])).toEqual({
      status: 1,
      stdout: `conf/a.yaml:6:22: ${sentence}\n1 error.\n`,
      stderr: '',
    });
  });

  test('as data', async () => {
    const { status, stdout } = await run(['--json', root]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      valid: false,
      warnings: [],
      documents: 2,
      servers: 1,
      errors: [
        {
          kind: 'spec-error',
          code: 'wrong-type',
          message: sentence,
          position: { file: 'conf/a.yaml', line: 6, column: 22, endLine: 6, endColumn: 26 },
          pointer: '/spec/files/~1a/mode',
        },
      ],
    });
  });

  test('in colours on a terminal only', async () => {
    expect((await run([root], true)).stdout).toContain('\u001b[1mconf/a.yaml:6:22:\u001b[0m');
    expect((await run([root], false)).stdout).not.toContain('\u001b');
  });
});

describe('a mistake in a template', () => {
  beforeEach(() =>
    write({
      'hosts.yaml': server('web-1'),
      'web.yaml': configuration(
        'web',
        '  targets: {all: true}\n  files: {/a: {template: templates/a.conf}}\n',
      ),
      'templates/a.conf': 'server {\n  listen {{port}};\n}\n',
    }),
  );
  const sentence =
    'This template uses "port", which is not declared; declare it under "variables". It is used by Configuration/web (web.yaml line 6).';

  test('stands at its place in the template', async () => {
    expect((await run([root])).stdout).toBe(`templates/a.conf:2:10: ${sentence}\n1 error.\n`);
  });

  test('as data, with the documents that use it', async () => {
    expect(JSON.parse((await run(['--json', root])).stdout).errors).toEqual([
      {
        kind: 'spec-error',
        code: 'undeclared-variable',
        message: sentence,
        position: { file: 'templates/a.conf', line: 2, column: 10, endLine: 2, endColumn: 18 },
        pointer: '',
        usedBy: [
          {
            document: 'Configuration/web',
            position: { file: 'web.yaml', line: 6, column: 26, endLine: 6, endColumn: 42 },
          },
        ],
      },
    ]);
  });
});

test('control characters of a file do not reach the terminal', async () => {
  await write({ 'a.yaml': 'apiVersion: doaas/v1\nkind: "\\e[2J"\n' });
  const { stdout } = await run([root], true);
  expect(stdout).toContain('Unknown kind "\\u001b[2J"');
  await write({ 'b\u001b.yaml': 'apiVersion: doaas/v2\n' });
  expect((await run([root])).stdout).toContain('b\u{fffd}.yaml:1:13:');
});

test('links are named and not followed', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'doaas-outside-'));
  try {
    await writeFile(join(outside, 'secret'), 'x');
    await symlink(outside, join(root, 'link'));
    const spec = '  targets: {all: true}\n  files: {/a: {source: link/secret}}\n';
    await write({ 'hosts.yaml': server('a'), 'c.yaml': configuration('c', spec) });
    expect((await run([root])).stdout).toBe(
      'c.yaml:6:24: link/secret goes through the symbolic link link, which is not followed; name the file itself.\n1 error.\n',
    );
  } finally {
    await rm(outside, { recursive: true });
  }
});

test('a file that is too large to copy is named', async () => {
  const spec = '  targets: {all: true}\n  files: {/a: {source: big}}\n';
  await write({ 'hosts.yaml': server('a'), 'c.yaml': configuration('c', spec), big: '' });
  await truncate(join(root, 'big'), MAX_SOURCE_FILE_BYTES + 5);
  expect((await run([root])).stdout).toBe(
    'c.yaml:6:24: big is larger than the 1 MiB that a copied file may have.\n1 error.\n',
  );
});

describe('wrong use', () => {
  test('a path that is not there', async () => {
    const path = join(root, 'none');
    expect(await run([path])).toEqual({
      status: 2,
      stdout: '',
      stderr: `doaas: ${path} cannot be read: it does not exist. See: doaas validate --help\n`,
    });
  });

  test('a file', async () => {
    await write({ 'a.yaml': '' });
    const path = join(root, 'a.yaml');
    expect((await run([path])).stderr).toContain(
      `${path} is not a directory; give the root of the repository.`,
    );
  });
});
