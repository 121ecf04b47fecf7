import { execFileSync, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PROCESSES_MAX } from './git.ts';
import { CONFLICT_PATHS_MAX } from './merge.ts';
import { type Mirror, openMirror } from './mirror.ts';

const TOKEN = 'ghs_secretTokenOfTheTest';
const IDENTITY = { name: 'DOaaS', email: 'doaas@example.org', epochSeconds: 1_700_000_000 };
let dir = '';
let work = '';
let server: Server;
let url = '';
let mirror: Mirror;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'doaas-repository-'));
  work = join(dir, 'work');
  git('init', '-q', '--bare', join(dir, 'remote.git'));
  git('--git-dir', join(dir, 'remote.git'), 'config', 'http.receivepack', 'true');
  git('init', '-q', '-b', 'main', work);
  server = await serve();
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/remote.git`;
  mirror = await openMirror({ dir: join(dir, 'mirror.git'), url, token: async () => TOKEN });
});
afterAll(() => {
  server?.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('a mirror', () => {
  it('reads a commit byte for byte, and refuses links, naming them', async () => {
    const binary = Buffer.from([0, 10, 255, 13, 10]);
    symlinkSync('/etc/passwd', join(work, 'link'));
    const sha = commit({
      'a.yml': 'kind: Server\n',
      'deep/é b.bin': binary,
      empty: '',
      big: Buffer.alloc(1024 * 1024 + 1),
    });
    await mirror.fetchCommit(sha);
    const tree = await mirror.readTree(sha);
    expect([...tree.files.keys()].toSorted()).toEqual(['a.yml', 'deep/é b.bin', 'empty']);
    expect(Buffer.from(tree.files.get('deep/é b.bin') ?? [])).toEqual(binary);
    expect(tree.refused.map((r) => [r.path, r.reason])).toEqual([
      ['big', 'size'],
      ['link', 'symlink'],
    ]);
    expect(await mirror.readTree(await mirror.treeOf(sha))).toEqual(tree);
    expect(await mirror.resolveRef('refs/heads/main')).toBe(sha);
  });

  it('merges two commits, or names the paths in conflict', async () => {
    const base = commit({ 'm.yml': 'a\nb\nc\n' });
    const head = commit({ 'h.yml': 'h' });
    const other = commit({ 'm.yml': 'a\nB\nc\n', 'o.yml': 'o' }, base);
    const third = commit({ 'm.yml': 'a\nX\nc\n' }, base);
    for (const sha of [head, other, third]) await mirror.fetchCommit(sha);
    const merged = await mirror.mergedTree(other, head);
    expect(merged.kind).toBe('clean');
    const files = merged.kind === 'clean' ? (await mirror.readTree(merged.treeSha)).files : new Map();
    expect(Buffer.from(files.get('m.yml')).toString()).toBe('a\nB\nc\n');
    expect(files.has('h.yml') && files.has('o.yml')).toBe(true);
    expect(await mirror.mergedTree(other, third)).toEqual({ kind: 'conflict', paths: ['m.yml'] });
    expect(await mirror.changedPaths(base, other)).toEqual(['m.yml', 'o.yml']);
    expect([await mirror.mergeBases(base, head), await mirror.mergeBases(head, other)]).toEqual([
      [base],
      [base],
    ]);
  });

  it('runs few git processes at once, however many ask', async () => {
    const [one, other] = [commit({ 'few.yml': '1\n' }), commit({ 'few.yml': '2\n' })];
    const running = join(dir, 'running');
    const counts = join(dir, 'counts');
    mkdirSync(running);
    const go = join(dir, 'go');
    // counts those that run beside it, and ends when it may; Git itself does the work
    const path = process.env.PATH ?? '';
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'git'),
      `#!/bin/sh
[ "$1" = diff-tree ] || exec env PATH='${path}' git "$@"
touch "${running}/$$"; ls '${running}' | wc -l >> '${counts}'
until [ -e '${go}' ]; do sleep 0.01; done
env PATH='${path}' git "$@"; code=$?
rm "${running}/$$"; exit $code
`,
      { mode: 0o755 },
    );
    await mirror.fetchCommit(other);
    process.env.PATH = `${bin}:${path}`;
    try {
      const asked = Array.from({ length: 20 }, () => mirror.changedPaths(one, other));
      await vi.waitUntil(() => readdirSync(running).length >= PROCESSES_MAX, { timeout: 10_000 });
      writeFileSync(go, '');
      expect(await Promise.all(asked)).toEqual(asked.map(() => ['few.yml']));
    } finally {
      process.env.PATH = path;
    }
    const seen = readFileSync(counts, 'utf8').trim().split('\n').map(Number);
    expect(seen).toHaveLength(20);
    expect(Math.max(...seen)).toBeLessThanOrEqual(PROCESSES_MAX);
  });

  it('tells of few paths of a merge that conflicts in many', async () => {
    const many = (content: string) =>
      Object.fromEntries(
        Array.from({ length: CONFLICT_PATHS_MAX + 20 }, (_, i) => [`conflicts/${i}.yml`, content]),
      );
    const base = commit(many('a\n'));
    const [one, other] = [commit(many('b\n'), base), commit(many('c\n'), base)];
    for (const sha of [one, other]) await mirror.fetchCommit(sha);
    const merged = await mirror.mergedTree(one, other);
    expect(merged.kind === 'conflict' ? merged.paths : []).toHaveLength(CONFLICT_PATHS_MAX);
  });

  it('pushes a revert, the same commit when repeated, and refuses one that conflicts', async () => {
    const before = commit({ 'r.yml': '1\n' });
    const change = commit({ 'r.yml': '2\n', 'added.yml': 'x' });
    const onto = commit({ 'later.yml': 'y' });
    await mirror.fetchCommit(onto);
    const request = {
      mergeSha: change,
      onto,
      message: 'Revert',
      identity: IDENTITY,
      branch: 'doaas/revert-1',
    };
    const revert = await mirror.createRevert(request);
    expect(await mirror.createRevert(request)).toBe(revert);
    expect(await mirror.resolveRef('refs/heads/doaas/revert-1')).toBe(revert);
    const { files } = await mirror.readTree(revert);
    expect(Buffer.from(files.get('r.yml') ?? []).toString()).toBe('1\n');
    expect([files.has('added.yml'), files.has('later.yml')]).toEqual([false, true]);
    const after = commit({ 'r.yml': '3\n' }, onto);
    await mirror.fetchCommit(after);
    await expect(mirror.createRevert({ ...request, onto: after })).rejects.toMatchObject({
      type: 'revert-conflict',
    });
    expect(before).not.toBe(change);
  });

  it('keeps the token out of its files and its errors', async () => {
    const denied = await openMirror({
      dir: join(dir, 'denied.git'),
      url,
      token: async () => `${TOKEN}-wrong`,
    });
    const error = await denied.resolveRef('refs/heads/main').catch((e: unknown) => e);
    expect(error).toMatchObject({ type: 'repository-denied' });
    expect(String(error)).not.toContain(TOKEN);
    const texts = readdirSync(join(dir, 'mirror.git'), { recursive: true, encoding: 'utf8' })
      .map((name) => join(dir, 'mirror.git', name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, 'latin1'));
    expect(texts.some((t) => t.includes(TOKEN) || t.includes(basic()))).toBe(false);
  });

  it('says what is missing, unreachable or no id at all', async () => {
    await expect(mirror.fetchCommit('1'.repeat(40))).rejects.toMatchObject({ type: 'commit-not-found' });
    await expect(mirror.readTree('2'.repeat(40))).rejects.toMatchObject({ type: 'commit-not-found' });
    await expect(mirror.readTree('--help')).rejects.toMatchObject({ type: 'bad-argument' });
    await expect(mirror.resolveRef('refs/heads/--upload-pack=x')).rejects.toMatchObject({
      type: 'bad-argument',
    });
    const gone = await openMirror({ dir: join(dir, 'gone.git'), url: 'http://127.0.0.1:1/x.git' });
    await expect(gone.resolveRef('refs/heads/main')).rejects.toMatchObject({
      type: 'repository-unreachable',
      retryable: true,
    });
    const file = openMirror({ dir: join(dir, 'file.git'), url: `file://${dir}/remote.git` });
    await expect(file).rejects.toMatchObject({ type: 'bad-argument' });
  });

  it('reads 500 files', async () => {
    const files = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`many/${i}.yml`, `n: ${i}\n`]));
    const sha = commit(files);
    await mirror.fetchCommit(sha);
    const tree = await mirror.readTree(sha);
    expect(Buffer.from(tree.files.get('many/499.yml') ?? []).toString()).toBe('n: 499\n');
    expect([...tree.files.keys()].filter((path) => path.startsWith('many/'))).toHaveLength(500);
  });
});

/** Commits the files on top of main, or of `parent` on a detached head, and publishes it. */
function commit(files: Readonly<Record<string, string | Buffer>>, parent?: string): string {
  if (parent !== undefined) git('-C', work, 'checkout', '-q', '--detach', parent);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), content);
  }
  git('-C', work, 'add', '-A');
  git('-C', work, 'commit', '-q', '-m', 'change');
  const sha = git('-C', work, 'rev-parse', 'HEAD').trim();
  git(
    '-C',
    work,
    'push',
    '-q',
    join(dir, 'remote.git'),
    `${sha}:refs/heads/${parent === undefined ? 'main' : sha}`,
  );
  if (parent !== undefined) git('-C', work, 'checkout', '-q', 'main');
  return sha;
}

function git(...args: readonly string[]): string {
  const names = {
    GIT_AUTHOR_NAME: 't',
    GIT_AUTHOR_EMAIL: 't@t',
    GIT_COMMITTER_NAME: 't',
    GIT_COMMITTER_EMAIL: 't@t',
  };
  return execFileSync('git', args, { env: { ...process.env, ...names }, encoding: 'utf8' });
}

function basic(): string {
  return Buffer.from(`x-access-token:${TOKEN}`).toString('base64');
}

/** git's own HTTP server, behind the token. */
function serve(): Promise<Server> {
  const http = createServer((request, response) => {
    if (request.headers.authorization !== `Basic ${basic()}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
      return;
    }
    const { pathname, search } = new URL(request.url ?? '/', 'http://x');
    const env = {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: dir,
      GIT_HTTP_EXPORT_ALL: '1',
      REMOTE_USER: 'engine',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
    };
    const child = spawn('git', ['http-backend'], { env });
    request.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('close', () => {
      const all = Buffer.concat(chunks);
      const split = all.indexOf('\r\n\r\n');
      const headers = all
        .toString('latin1', 0, split)
        .split('\r\n')
        .map((line) => line.split(': '));
      const status = headers.find(([name]) => name === 'Status')?.[1];
      for (const [name = '', value = ''] of headers) if (name !== 'Status') response.setHeader(name, value);
      response.writeHead(Number.parseInt(status ?? '200', 10)).end(all.subarray(split + 4));
    });
  });
  return new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(http)));
}
