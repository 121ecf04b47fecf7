import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hostKeyOf } from '../../test/hostKey.ts';
import { freePort, sshdMissing, startSshd, type TestSshd } from '../hosts/testing/sshd.ts';
import { runPlan } from './plan.ts';

/** Reads this machine through a real sshd; nothing is ever applied. */
describe.skipIf(sshdMissing() !== undefined)('doaas plan PATH', () => {
  let sshd: TestSshd;
  let root = '';
  let managed = '';
  beforeAll(async () => {
    sshd = await startSshd();
    root = await mkdtemp(join(tmpdir(), 'doaas-plan-'));
    managed = await mkdtemp(join(tmpdir(), 'doaas-managed-'));
  });
  afterAll(async () => {
    await sshd?.stop();
    for (const dir of [root, managed]) await rm(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await writeFile(join(root, 'infra.yaml'), `${server('here', sshd.port)}---\n${file('one\\n')}`);
  });

  const keyOf = (of: TestSshd): string => of.target().hostKeys[0]?.split(' ').slice(0, 2).join(' ') ?? '';
  const server = (name: string, port: number, key = keyOf(sshd)): string =>
    `apiVersion: doaas/v1\nkind: Server\nmetadata: {name: ${name}}\nspec: {address: 127.0.0.1, port: ${port}, user: root, become: none, hostKey: "${key}"}\n`;
  const file = (content: string): string =>
    `apiVersion: doaas/v1\nkind: Configuration\nmetadata: {name: c}\nspec:\n  targets: {all: true}\n  files: {${managed}/a.conf: {content: "${content}", mode: "0640"}}\n`;
  const plan = async (argv: readonly string[] = [], isTTY = false) => {
    const out = { stdout: '', stderr: '' };
    const io = {
      stdout: { isTTY, write: (text: string) => (out.stdout += text) },
      stderr: { write: (text: string) => (out.stderr += text) },
    };
    const status = await runPlan([root, ...argv], io, sshd.credentials);
    return { status, ...out };
  };

  test('shows steps and diffs, exits 3, and changes nothing', async () => {
    const { status, stdout, stderr } = await plan();
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
    expect(stdout).toMatch(/^here\n {4}1\. .*a\.conf/);
    expect(stdout).toContain('       +one\n');
    expect(stdout).toContain('note: The directory has no git remote "origin"');
    expect(stdout).toMatch(/\n1 change on 1 server; .*\n$/);
    expect(stdout).not.toContain('\u001b');
    expect(await readdir(managed)).toEqual([]);
    expect((await plan([], true)).stdout).toContain('\u001b[32m+one\u001b[0m');
  });

  test('as data, with the digest; the repository comes from the git remote', async () => {
    execFileSync('git', ['init', '-q', root]);
    execFileSync('git', ['-C', root, 'remote', 'add', 'origin', 'git@github.com:acme/infra.git']);
    const data = JSON.parse((await plan(['--json'])).stdout);
    expect(data).toMatchObject({ kind: 'plan', hosts: [{ host: 'here' }], problems: [], notes: [] });
    expect(data.digest).toMatch(/^[0-9a-f]{64}$/);
    await rm(join(root, '.git'), { recursive: true });
  });

  test('exits 0 where nothing is to change', async () => {
    execFileSync('sh', ['-c', `printf 'one\\n' >"$1" && chmod 640 "$1"`, 'sh', join(managed, 'a.conf')]);
    try {
      const { status, stdout } = await plan(['--repository', 'acme/infra']);
      expect({ status, stdout }).toEqual({
        status: 0,
        stdout: 'here: nothing to change\n\nNothing to change\n',
      });
    } finally {
      await rm(join(managed, 'a.conf'));
    }
  });

  test('a server that does not answer is named, the others are planned, the exit is 1', async () => {
    await writeFile(join(root, 'other.yaml'), server('gone', await freePort(), hostKeyOf('gone')));
    try {
      const all = await plan();
      expect(all.status).toBe(1);
      expect(all.stdout).toMatch(/^gone: cannot be planned: .*127\.0\.0\.1/m);
      expect(all.stdout).toMatch(/^here\n {4}1\. /m);
      expect((await plan(['--host', 'here'])).status).toBe(3);
    } finally {
      await rm(join(root, 'other.yaml'));
    }
  });

  test('mistakes come with their places; an unknown server with the nearest', async () => {
    await expect(plan(['--host', 'hre'])).rejects.toThrow('There is no server "hre"; did you mean "here"?');
    await writeFile(join(root, 'infra.yaml'), 'apiVersion: doaas/v1\nkind: Serfer\n');
    const { status, stdout, stderr } = await plan();
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('infra.yaml:2:');
    await writeFile(join(root, 'infra.yaml'), '');
    await expect(plan()).rejects.toThrow(`${root} declares no server, so there is nothing to plan`);
  });

  test('a server behind another one is read through it, each with its own pinned key', async () => {
    const inner = await startSshd();
    try {
      await writeFile(join(inner.folder, 'user.pub'), await readFile(join(sshd.folder, 'user.pub')));
      const behind = server('inner', inner.port, keyOf(inner)).replace(
        'become: none',
        'become: none, jump: here',
      );
      const documents = [server('here', sshd.port), behind, file('one\\n')];
      await writeFile(join(root, 'infra.yaml'), documents.join('---\n'));
      const { status, stdout } = await plan(['--host', 'inner']);
      expect({ status, stdout }).toEqual({
        status: 3,
        stdout: expect.stringMatching(/^inner\n {4}1\. .*a\.conf/),
      });
      const twice = await plan();
      expect(twice.status).toBe(1);
      expect(twice.stdout).toMatch(/inner is the same machine as here \(infra\.yaml line 1\)/);
      expect(twice.stdout).toMatch(/here is the same machine as inner \(infra\.yaml line \d+\)/);
      const text = await readFile(join(root, 'infra.yaml'), 'utf8');
      await writeFile(join(root, 'infra.yaml'), text.replace(keyOf(sshd), hostKeyOf('another')));
      const refused = await plan(['--host', 'inner']);
      expect(refused.status).toBe(1);
      expect(`${refused.stdout}${refused.stderr}`).toMatch(
        /here \(root@127\.0\.0\.1:\d+\) .*Expected ssh-ed25519/s,
      );
    } finally {
      await inner.stop();
    }
  });
});
