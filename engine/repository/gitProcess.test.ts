import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type GitProcess, gitProcess } from './gitProcess.ts';
import { openMirror } from './mirror.ts';
import { type GitOrder, OUTPUT_MAX_BYTES, TOO_MUCH } from './runGit.ts';

let dir: string;
let git: GitProcess;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'doaas-git-'));
  execFileSync('git', ['init', '--quiet', '--bare', join(dir, 'r.git')]);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => {
  git = gitProcess();
});
afterEach(() => git.close());

const order = (args: readonly string[], more: Partial<GitOrder> = {}): GitOrder => ({
  dir: join(dir, 'r.git'),
  args,
  env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', GIT_DIR: join(dir, 'r.git') },
  timeoutMs: 20_000,
  ...more,
});
/** Git that waits for what it is to read. */
const endless = (more: Partial<GitOrder> = {}) => git.run(order(['hash-object', '--stdin'], more));
const isGone = (pid: number): boolean =>
  !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

it('starts git with what it is to read, several at once, in one process that is not this one', async () => {
  const texts = ['a\n', 'é'.repeat(1_000_000), 'c'];
  const ids = await Promise.all(
    texts.map((input) => git.run(order(['hash-object', '-w', '--stdin'], { input }))),
  );
  const read = ids.map((id) => git.run(order(['cat-file', 'blob', id.trim()])));
  expect(await Promise.all(read)).toEqual(texts);
  expect(git.pid()).not.toBe(process.pid);
  expect(readFileSync(`/proc/${git.pid()}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]).toBe(
    String(process.pid),
  );
});

it("says what git says, and bounds git's time", async () => {
  await expect(git.run(order(['cat-file', 'blob', 'x']))).rejects.toThrow(/Not a valid object name x/);
  await expect(endless({ timeoutMs: 100 })).rejects.toThrow(/Abort signal/);
});

it('reads so much of what git prints and no more, and goes on with the others', async () => {
  const blob = (bytes: number) => {
    const env = { ...process.env, GIT_DIR: join(dir, 'r.git') };
    const input = Buffer.alloc(bytes, 'x');
    return execFileSync('git', ['hash-object', '-w', '--stdin'], { input, env }).toString().trim();
  };
  const [most, more] = [blob(OUTPUT_MAX_BYTES), blob(20 * OUTPUT_MAX_BYTES)];
  expect(await git.run(order(['cat-file', 'blob', most]))).toHaveLength(OUTPUT_MAX_BYTES);
  const pid = git.pid();
  const given = await Promise.allSettled([
    ...Array.from({ length: 4 }, () => git.run(order(['cat-file', 'blob', more]))),
    git.run(order(['version'])),
  ]);
  expect(given.slice(0, 4).map((one) => one.status === 'rejected' && String(one.reason))).toEqual(
    Array.from({ length: 4 }, () => `Error: ${TOO_MUCH}`),
  );
  expect(given[4]).toMatchObject({ status: 'fulfilled' });
  expect(git.pid()).toBe(pid);
});

it('is tried again where no file can be opened to start it', () => {
  const module = JSON.stringify(new URL('./gitProcess.ts', import.meta.url).href);
  const script = `const { gitProcess } = await import(${module});
const { openSync } = await import('node:fs');
try { for (;;) openSync('/dev/null'); } catch {}
const error = await gitProcess().run({ dir: '/', args: [], env: {}, timeoutMs: 9000 }).catch((e) => e);
process.stdout.write(\`\${error.type} \${error.retryable}\`);
process.exit();`;
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
  const said = execFileSync('sh', ['-c', 'ulimit -n 256; exec "$0" "$@"', ...node], { cwd: process.cwd() });
  expect(said.toString()).toBe('git-ended true');
});

it('when it is killed what is under way is to be tried again, and the next order starts another', async () => {
  const first = await git.run(order(['version'])).then(() => git.pid() ?? 0);
  const under = endless();
  process.kill(first, 'SIGKILL');
  await expect(under).rejects.toMatchObject({ type: 'git-ended', retryable: true });
  expect(await git.run(order(['version']))).toMatch(/^git version/);
  expect(git.pid()).not.toBe(first);
});

it('ends when it is closed and not before, and takes no more', async () => {
  await git.run(order(['version']));
  const pid = git.pid() ?? 0;
  process.kill(pid, 'SIGTERM');
  expect(await git.run(order(['version']))).toMatch(/^git version/);
  expect(git.pid()).toBe(pid);
  const under = endless();
  const given = expect(under).rejects.toMatchObject({ type: 'git-ended' });
  await git.close();
  await given;
  expect(isGone(pid)).toBe(true);
  await expect(git.run(order(['version']))).rejects.toMatchObject({ type: 'git-ended' });
  await git.close();
});

it('serves a mirror, whose token is in no arguments', async () => {
  const url = 'http://127.0.0.1:1/x.git';
  const mirror = await openMirror({
    dir: join(dir, 'm.git'),
    url,
    run: git.run,
    token: async () => 'ghs_token',
  });
  const error = await mirror.resolveRef('refs/heads/main').catch((e: unknown) => e);
  expect(error).toMatchObject({ type: 'repository-unreachable' });
  expect(readFileSync(`/proc/${git.pid()}/cmdline`, 'utf8')).not.toContain('ghs_token');
  expect(String(error)).not.toContain('ghs_token');
});
