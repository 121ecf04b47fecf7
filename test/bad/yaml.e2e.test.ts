import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostKeyOf } from '../hostKey.ts';
import { MINUTES, until } from '../until.ts';
import { startWorld, type World } from '../world.ts';

const MIB = 1024 * 1024;
const exec = promisify(execFile);

const HEAD = 'apiVersion: doaas/v1\n';
const server = (name: string): string =>
  `${HEAD}kind: Server\nmetadata: {name: ${name}, labels: {role: web}}\nspec: {address: ${name}, hostKey: ${hostKeyOf(name)}}\n`;
const configuration = (files: string): string =>
  `${HEAD}kind: Configuration\nmetadata: {name: files}\nspec:\n  targets: {labels: {role: web}}\n  files:\n${files}`;

/** Nine times nine times ... nine texts, in nine lines. */
const BOMB = Array.from({ length: 9 }, (_, level) => {
  const item = level === 0 ? '"lol"' : `*a${level - 1}`;
  return `a${level}: &a${level} [${Array.from({ length: 9 }, () => item).join(', ')}]\n`;
}).join('');

/** File, what is in it, and what its author reads at which line. */
const BAD: readonly (readonly [string, string | Buffer, number, string])[] = [
  ['tabs.yaml', `${HEAD}spec:\n\tport: 1\n`, 3, 'YAML does not allow tabs for indentation; use spaces.'],
  [
    'twice.yaml',
    `${HEAD}spec: {}\nkind: Server\nspec: {}\n`,
    4,
    'The key "spec" is already there in line 2; keep one of the two.',
  ],
  [
    'deep.yaml',
    HEAD + Array.from({ length: 200 }, (_, level) => `${' '.repeat(level)}a:\n`).join(''),
    33,
    'This is nested more than 32 levels deep, which no document needs; flatten it.',
  ],
  [
    'bomb.yaml',
    HEAD + BOMB,
    6,
    'This document has more than 20000 values (aliases count in full); split it.',
  ],
  ['nul.yaml', `${HEAD}kind: Ser\0ver\n`, 2, 'This file contains a NUL byte; YAML is text, so remove it.'],
  [
    'latin1.yaml',
    Buffer.from(`${HEAD}kind: Server\n# für alle\n`, 'latin1'),
    3,
    'This file is not UTF-8 from here on; save it as UTF-8.',
  ],
  [
    'utf16.yaml',
    Buffer.from(`\ufeff${server('utf16')}`, 'utf16le'),
    1,
    'This file is UTF-16; save it as UTF-8.',
  ],
  [
    'large.yaml',
    `${HEAD}${`# ${'x'.repeat(97)}\n`.repeat(100_000)}`,
    1,
    'This file has more than the 1024 KiB that a YAML file may have; split it.',
  ],
  [
    'kind.yaml',
    `${HEAD}kind: Sever\nmetadata: {name: a}\nspec: {}\n`,
    2,
    'Unknown kind "Sever"; did you mean "Server"?',
  ],
  [
    'version.yaml',
    server('v2').replace('doaas/v1', 'doaas/v2'),
    1,
    'Unknown apiVersion "doaas/v2"; did you mean "doaas/v1"?',
  ],
  [
    'left-out.yaml',
    configuration(
      '    /srv/link: {source: files/link}\n    /srv/module: {source: vendor/module}\n    /srv/large: {source: files/large.bin}\n',
    ),
    0,
    '',
  ],
];

const GOOD = {
  'crlf.yaml': server('crlf').replaceAll('\n', '\r\n'),
  'bom.yaml': `\ufeff${server('bom')}`,
};

describe('what is in a pull request', { timeout: 2 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    const template = 'server {\n  listen {{prot}};\n}\n';
    world = await startWorld({ hosts: 0, files: () => ({ 'templates/shop.conf': template }) });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  it('gets each mistake on its exact line, all at once, and is planned when they are mended', async () => {
    await world.github.branchWithChanges(world.repo, 'bad', { 'note.txt': 'begin\n' });
    const sha = await pushByGit('bad', async (dir, git) => {
      await write(dir, { ...GOOD, ...Object.fromEntries(BAD.map(([path, content]) => [path, content])) });
      await write(dir, { 'files/large.bin': Buffer.alloc(2 * MIB, 1) });
      await symlink('/etc/shadow', join(dir, 'files/link'));
      await git('add', '.');
      const head = await git('rev-parse', 'HEAD');
      await git('update-index', '--add', '--cacheinfo', `160000,${head},vendor/module`);
    });
    const pull = await world.github.openPullRequest(world.repo, { branch: 'bad' });

    const check = await world.check(sha, 'doaas/validate', { conclusion: 'failure' });
    expect(check.title).toBe('13 errors in 11 files');
    const annotations = (await world.github.listAnnotations(world.repo, check.id)).map((one) => ({
      path: one.path,
      line: one.start_line,
      message: one.message,
    }));
    for (const [path, , line, message] of BAD.filter(([, , line]) => line > 0)) {
      expect(annotations.filter((one) => one.path === path)).toEqual([{ path, line, message }]);
    }
    expect(annotations.filter((one) => one.path === 'left-out.yaml')).toEqual([
      {
        path: 'left-out.yaml',
        line: 7,
        message:
          'files/link goes through the symbolic link files/link, which is not followed; name the file itself.',
      },
      {
        path: 'left-out.yaml',
        line: 8,
        message: 'vendor/module cannot be used: it is a submodule, which is never fetched.',
      },
      {
        path: 'left-out.yaml',
        line: 9,
        message: `files/large.bin cannot be used: it is ${2 * MIB} bytes long, over the limit of ${MIB}.`,
      },
    ]);
    expect(check.summary).toContain('`files/link` is a symbolic link, which is never followed');
    expect(check.summary).toContain('`vendor/module` is a submodule, which is never fetched');
    await until(
      async () => ((await world.comment(pull)).includes('13 errors in 11 files') ? true : undefined),
      'the comment',
    );

    const mended = await world.github.push(
      world.repo,
      'bad',
      Object.fromEntries(BAD.map(([path]) => [path, null])),
    );
    const valid = await world.check(mended, 'doaas/validate', { conclusion: 'success' });
    expect(valid.title).toBe('Valid: 2 documents for 2 servers');
    expect(valid.summary).toContain('`files/link` is a symbolic link, which is never followed');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('gets a mistake of a template in the template, though the pull request does not touch that file', async () => {
    const declared = '  variables: {port: {type: integer, default: 80}}\n';
    const uses = (path: string) => configuration(`    ${path}: {template: templates/shop.conf}\n${declared}`);
    const { pull, sha } = await world.open('template', {
      'servers.yaml': server('web-1'),
      'one.yaml': uses('/etc/one'),
      'two.yaml': uses('/etc/two').replace('name: files', 'name: more'),
    });
    const check = await world.check(sha, 'doaas/validate', { conclusion: 'failure' });
    const message =
      'This template uses "prot", which is not declared; did you mean "port"? It is used by Configuration/files (one.yaml line 7) and Configuration/more (two.yaml line 7).';
    expect(await world.github.listAnnotations(world.repo, check.id)).toMatchObject([
      { path: 'templates/shop.conf', start_line: 2, end_line: 2, start_column: 10, end_column: 18, message },
    ]);
    expect(check.title).toMatch(/^templates\/shop\.conf: This template uses "prot"/);
    expect(check.summary).toContain('| `templates/shop.conf:2:10` |');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('is refused in words when the whole is over the bounds', async () => {
    await world.github.branchWithChanges(world.repo, 'huge', { 'note.txt': 'huge\n' });
    const sha = await pushByGit('huge', async (dir, git) => {
      await git('config', 'core.fsync', 'none');
      const oid = await git('hash-object', '-w', 'note.txt');
      const list = Array.from({ length: 10_001 }, (_, i) => `100644 ${oid}\tmany/${i}\n`).join('');
      await writeFile(join(dir, '.git', 'list'), list);
      await exec('sh', ['-c', 'git update-index --index-info < .git/list'], { cwd: dir });
    });
    const pull = await world.github.openPullRequest(world.repo, { branch: 'huge' });
    const check = await world.check(sha, 'doaas/validate', { conclusion: 'failure' });
    expect(check.title).toBe('The repository cannot be read');
    expect(check.summary).toMatch(
      /holds more than 10000 files, over the limit of 10000\. Keep large or generated files out/,
    );
    await world.github.closePullRequest(world.repo, pull);
  });

  async function pushByGit(
    branch: string,
    change: (dir: string, git: (...args: string[]) => Promise<string>) => Promise<void>,
  ): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'doaas-bad-yaml-'));
    const git = async (...args: string[]): Promise<string> => {
      const identity = ['-c', 'user.name=Anna', '-c', 'user.email=anna@example.com'];
      return (await exec('git', [...identity, ...args], { cwd: dir })).stdout.trim();
    };
    const { url, accounts } = world.github;
    const { owner, name } = world.repo;
    const remote = `${url.replace('://', `://x-access-token:${accounts.author.token}@`)}/${owner}/${name}.git`;
    try {
      await git('clone', '--quiet', '--branch', branch, remote, '.');
      await change(dir, git);
      await git('commit', '--quiet', '-m', 'From git');
      await git('push', '--quiet', 'origin', branch);
      return await git('rev-parse', 'HEAD');
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
});

async function write(dir: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}
