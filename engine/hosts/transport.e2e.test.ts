import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sh } from '../shell/sh.ts';
import { HostError } from './host-error.ts';
import type { Session } from './session.ts';
import type { HostTarget } from './target.ts';
import { childrenOf, freePort, OTHER_KEY, sshdMissing, startSshd, type TestSshd } from './testing/sshd.ts';

const limit = { timeoutSeconds: 20 };

describe.skipIf(sshdMissing() !== undefined)('transport against a real sshd', { timeout: 60_000 }, () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  const refusal = async (target: HostTarget, using = sshd.transport()): Promise<HostError> => {
    const error = await using.withSession(target, (s) => s.run(sh`true`, limit)).catch((e: unknown) => e);
    if (!(error instanceof HostError)) throw new Error(`expected a HostError, got ${String(error)}`);
    return error;
  };

  test('gives exit code, both streams, fixed environment and the identity', async () => {
    const script = sh`printf '%s|' "$LC_ALL" "$PATH" "$(umask)" "$#"; echo bad >&2; exit 3`;
    const { result, identity } = await sshd.transport().withSession(sshd.target(), async (s) => ({
      result: await s.run(script, limit),
      identity: s.identity,
    }));
    expect(result).toMatchObject({ exitCode: 3, signal: null, stderr: 'bad\n', truncated: false });
    expect(result.stdout).toBe('C|/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|0077|0|');
    const print = execFileSync('ssh-keygen', ['-l', '-f', join(sshd.folder, 'host.pub')])
      .toString()
      .split(' ')[1];
    expect(identity).toBe(`127.0.0.1:${sshd.port} ${print}`);
  });

  test('a script of 1 MB and a payload of 1 MB with every byte value arrive whole', async () => {
    const payload = randomBytes(1024 * 1024);
    const filler = { kind: 'sh' as const, text: `: ${'x'.repeat(1024 * 1024)}` };
    const script = sh`${filler}
echo "$DOAAS_STDIN_BYTES"; sha256sum`;
    const result = await sshd
      .transport()
      .withSession(sshd.target(), (s) => s.run(script, { ...limit, stdin: payload }));
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256').update(payload).digest('hex');
    expect(result.stdout).toBe(`${payload.length}\n${hash}  -\n`);
  });

  test('half a script runs nothing', async () => {
    const mark = join(sshd.folder, 'half-ran');
    const text = `touch ${mark}\n: ${'x'.repeat(2000)}\n`;
    const { RUN_COMMAND } = await import('./bootstrap.ts');
    const cut = `${text.length} 0\n${text.slice(0, 100)}`;
    const ran = (input: string) => {
      try {
        execFileSync('sh', ['-c', RUN_COMMAND], { input });
        return 0;
      } catch (error) {
        return (error as { status: number }).status;
      }
    };
    expect(ran(cut)).toBe(125);
    expect(existsSync(mark)).toBe(false);
    expect(ran(`${text.length} 0\n${text}`)).toBe(0);
    expect(existsSync(mark)).toBe(true);
  });

  test('a wrong host key is refused before any login, with both fingerprints', async () => {
    const before = await sshd.log();
    const error = await refusal(sshd.target({ hostKeys: [OTHER_KEY] }));
    expect(error).toMatchObject({
      type: 'host-key-mismatch',
      host: 'box',
      retryable: false,
      ambiguous: false,
    });
    expect(error.message).toMatch(
      /Expected ssh-ed25519 SHA256:\S+; got ssh-ed25519 SHA256:\S+\. If the machine was reinstalled/,
    );
    expect((await sshd.log()).slice(before.length)).not.toMatch(/publickey|authenticat(ing|ed)/i);
  });

  test('no host key or a broken one is refused without connecting', async () => {
    const none = await refusal(sshd.target({ hostKeys: [] }));
    expect(none).toMatchObject({ type: 'host-key-unknown' });
    expect(none.message).toContain(`doaas scan 127.0.0.1:${sshd.port}`);
    expect(await refusal(sshd.target({ hostKeys: ['ssh-rsa AAAA'] }))).toMatchObject({
      type: 'host-key-unknown',
    });
  });

  test('a key that the host does not know is auth-failed', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(sshd.folder, 'stranger')]);
    const key = { kind: 'key-file' as const, path: join(sshd.folder, 'stranger') };
    const error = await refusal(
      sshd.target(),
      sshd.transport({ credentials: { kind: 'credentials', keys: [key] } }),
    );
    expect(error).toMatchObject({ type: 'auth-failed', retryable: false });
    expect(error.message).toMatch(/refused the login \(offered: ssh-ed25519 SHA256:.*authorized_keys/);
  });

  test('a missing, readable-by-all, encrypted or public key says what to do', async () => {
    const file = (name: string) => join(sshd.folder, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', file('locked')]);
    await writeFile(file('loose'), await readFile(file('user')), { mode: 0o644 });
    await writeFile(file('public'), await readFile(file('user.pub')), { mode: 0o600 });
    const told = async (name: string, passphrase?: string) => {
      const key = {
        kind: 'key-file' as const,
        path: file(name),
        ...(passphrase === undefined ? {} : { passphrase }),
      };
      const error = await refusal(
        sshd.target(),
        sshd.transport({ credentials: { kind: 'credentials', keys: [key] } }),
      );
      expect(error.type).toBe('credentials-unusable');
      return error.message;
    };
    expect(await told('nowhere')).toContain('no such file');
    expect(await told('loose')).toContain(
      `mode 0644, so others may read it. Run: chmod 600 ${file('loose')}`,
    );
    expect(await told('locked')).toContain('encrypted and no passphrase is set');
    expect(await told('locked', 'wrong')).toContain('its passphrase is wrong');
    expect(await told('public')).toContain('the private one is needed');
  });

  test('an encrypted key with its passphrase logs in', async () => {
    const path = join(sshd.folder, 'user-locked');
    await writeFile(path, await readFile(join(sshd.folder, 'user')), { mode: 0o600 });
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'secret', '-f', path]);
    const pem = await readFile(path);
    const keys = [{ kind: 'key-bytes' as const, pem, passphrase: 'secret' }];
    const using = sshd.transport({ credentials: { kind: 'credentials', keys } });
    const result = await using.withSession(sshd.target(), (s) => s.run(sh`echo in`, limit));
    expect(result.stdout).toBe('in\n');
  });

  test('a closed port, a name that does not exist, and a server that says nothing are told apart', async () => {
    const closed = await refusal(sshd.target({ port: await freePort() }));
    expect(closed).toMatchObject({ type: 'unreachable', retryable: true });
    expect(closed.message).toContain('connection refused');
    expect((await refusal(sshd.target({ address: 'no-such-host.invalid' }))).message).toContain('resolve');
    const mute = createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const port = portOf(mute);
    const silent = await refusal(sshd.target({ port }), sshd.transport({ handshakeTimeoutMs: 300 }));
    mute.close();
    expect(silent).toMatchObject({ type: 'timed-out', retryable: true, ambiguous: false });
  });

  test('an address that swallows packets is given up after the time limit', async () => {
    // A listener that is stopped: once its queue is full, the kernel drops what comes.
    const code = `const s = require('net').createServer(); s.listen({port: 0, host: '127.0.0.1', backlog: 1}, () => console.log(s.address().port))`;
    const hole = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
    const fillers: Socket[] = [];
    try {
      const port = Number(await new Promise((resolve) => hole.stdout.once('data', resolve)));
      hole.kill('SIGSTOP');
      await until(() => readFileSync(`/proc/${hole.pid}/stat`, 'utf8').includes(') T '));
      for (let i = 0; i < 4; i += 1) fillers.push(connect(port, '127.0.0.1').on('error', () => {}));
      await until(() => fillers.filter((socket) => !socket.connecting).length >= 2);
      const error = await refusal(sshd.target({ port }), sshd.transport({ connectTimeoutMs: 300 }));
      expect(error).toMatchObject({ type: 'unreachable', retryable: true });
      expect(error.message).toContain('no answer within 0.3 s');
    } finally {
      for (const socket of fillers) socket.destroy();
      hole.kill('SIGKILL');
    }
  });

  test('concurrent sessions share one connection; empty closes it', async () => {
    // of tests before this one some end meanwhile
    const before = new Set(childrenOf(sshd.pid));
    const own = () => childrenOf(sshd.pid).filter((pid) => !before.has(pid));
    const using = sshd.transport();
    const counts = await Promise.all(
      Array.from({ length: 20 }, () =>
        using.withSession(sshd.target(), async (s) => {
          const result = await s.run(sh`echo here`, limit);
          expect(result.stdout).toBe('here\n');
          return s.identity;
        }),
      ),
    );
    expect(counts).toHaveLength(20);
    expect(own()).toHaveLength(1);
    await using.empty();
    await until(() => own().length === 0);
  });

  test('a connection cut in the middle of a script is connection-lost and ambiguous; the next session connects anew', async () => {
    const using = sshd.transport();
    const pidFile = join(sshd.folder, 'cut.pid');
    // The shell's parent is the connection's sshd; what the script started lives on.
    const script = sh`echo started; sleep 300 & echo $! >${pidFile}; kill -9 $PPID; wait`;
    const cut = await using.withSession(sshd.target(), (s) => s.run(script, limit)).catch((e: unknown) => e);
    expect(cut).toMatchObject({ type: 'connection-lost', retryable: true, ambiguous: true });
    const again = await using.withSession(sshd.target(), (s) => s.run(sh`echo back`, limit));
    expect(again.stdout).toBe('back\n');
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
  });

  test('a host that falls silent is noticed by keepalive', async () => {
    const own = await startSshd();
    try {
      const using = own.transport({ keepaliveIntervalMs: 1_000 });
      const go = join(own.folder, 'go');
      const freeze = () => {
        for (const pid of childrenOf(own.pid)) process.kill(pid, 'SIGSTOP');
        writeFileSync(go, '');
      };
      const script = sh`echo up; while [ -d ${own.folder} ] && [ ! -e ${go} ]; do sleep 0.05; done`;
      const running = using.withSession(own.target(), (s) => s.run(script, { ...limit, onLine: freeze }));
      // The script ends by itself, but its end cannot be told any more.
      const error = await running.catch((e: unknown) => e);
      expect(error).toMatchObject({ type: 'connection-lost', ambiguous: true, partial: { stdout: 'up\n' } });
    } finally {
      await own.stop();
    }
  });

  test('output over the bound is dropped and flagged, and the script still ends', async () => {
    const script = sh`head -c 3000000 /dev/zero | tr '\0' a; echo done >&2`;
    const result = await sshd
      .transport()
      .withSession(sshd.target(), (s) => s.run(script, { ...limit, maxOutputBytes: 1000 }));
    expect(result).toMatchObject({
      exitCode: 0,
      truncated: true,
      stdout: 'a'.repeat(1000),
      stderr: 'done\n',
    });
  });

  test('lines come while the script runs, long ones cut', async () => {
    const seen: string[] = [];
    const go = join(sshd.folder, 'go');
    const script = sh`echo first; while [ ! -e ${go} ]; do sleep 0.02; done; head -c 20000 /dev/zero | tr '\0' x; echo; printf last`;
    const running = sshd
      .transport()
      .withSession(sshd.target(), (s) => s.run(script, { ...limit, onLine: (line) => seen.push(line) }));
    await until(() => seen[0] === 'first');
    await writeFile(go, '');
    await running;
    expect(seen.map((line) => line.length)).toEqual([5, 16 * 1024, 4]);
  });

  test.each(['cancelled', 'timed-out'] as const)(
    '%s ends every process of the script, children and stubborn ones too',
    async (how) => {
      const mark = `77${Math.floor(Math.random() * 1e6)}`;
      const script = sh`sleep ${mark}.1 & sh -c 'trap "" TERM; sleep "$1.2"; sleep "$1.3"' - ${mark} & echo up; wait`;
      const stop = new AbortController();
      const options =
        how === 'cancelled' ? { timeoutSeconds: 60, signal: stop.signal } : { timeoutSeconds: 6 };
      const onLine = () => {
        until(() => sleeping(mark) === 2).then(
          () => stop.abort(),
          () => stop.abort(),
        );
      };
      const error = await sshd
        .transport()
        .withSession(sshd.target(), (s) => s.run(script, { ...options, onLine }))
        .catch((e: unknown) => e);
      expect(error).toMatchObject({ type: how, ambiguous: true, partial: { stdout: 'up\n' } });
      expect((error as Error).message).toContain('its processes were ended');
      expect(sleeping(mark)).toBe(0);
    },
  );

  test('a background process that holds the output does not hold the result', async () => {
    const script = sh`sleep 300 & echo $!`;
    const started = performance.now();
    const result = await sshd.transport().withSession(sshd.target(), (s) => s.run(script, limit));
    expect(result.exitCode).toBe(0);
    process.kill(Number(result.stdout), 'SIGKILL');
    expect(performance.now() - started).toBeLessThan(12_000);
  });

  test('a listener for lines that throws ends the script', async () => {
    const mark = `99${Math.floor(Math.random() * 1e6)}`;
    const onLine = () => {
      throw new Error('listener broke');
    };
    const running = sshd
      .transport()
      .withSession(sshd.target(), (s) => s.run(sh`echo up; sleep ${mark}.1`, { ...limit, onLine }));
    await expect(running).rejects.toThrow('listener broke');
    expect(sleeping(mark)).toBe(0);
  });

  test('a script ended by a signal names it', async () => {
    const result = await sshd.transport().withSession(sshd.target(), (s) => s.run(sh`kill -KILL $$`, limit));
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
  });

  test('connects from the host, through sshd or through bash where forwarding is forbidden', async () => {
    const strict = await startSshd(['AllowTcpForwarding no']);
    const server = createServer((socket) => socket.on('data', (data) => socket.end(`echo ${data}`)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = portOf(server);
    try {
      const closed = await freePort();
      for (const one of [sshd, strict]) {
        const using = one.transport();
        const answer = await using.withSession(one.target(), (s) => ask(s, port));
        expect(answer).toBe('echo hello');
        const refused = await using.withSession(one.target(), (s) => ask(s, closed)).catch((e: unknown) => e);
        expect(refused).toMatchObject({ type: 'port-closed' });
        expect((refused as Error).message).toMatch(/refused/i);
        await using.close();
      }
    } finally {
      server.close();
      await strict.stop();
    }
  });

  test('a key that may do no more than forward is enough', async () => {
    const strict = await startSshd();
    try {
      const key = await readFile(join(strict.folder, 'user.pub'), 'utf8');
      await writeFile(join(strict.folder, 'user.pub'), `from="127.0.0.0/8",restrict,port-forwarding ${key}`);
      const using = strict.transport();
      const said = await using.withSession(strict.target(), async (s) => ({
        script: (await s.run(sh`echo in`, limit)).stdout,
        forwarded: await s.connect('127.0.0.1', strict.port).then((stream) => stream.destroy()),
      }));
      expect(said.script).toBe('in\n');
      await using.close();
    } finally {
      await strict.stop();
    }
  });

  test('a jump host is verified by its own key and carries the connection', async () => {
    const inner = await startSshd();
    try {
      // One key for both, as a bastion set-up has it.
      await chmod(join(inner.folder, 'user.pub'), 0o644);
      await writeFile(join(inner.folder, 'user.pub'), await readFile(join(sshd.folder, 'user.pub')));
      const using = sshd.transport({ idleMs: 50 });
      const behind = inner.target({ name: 'inner', jump: sshd.target({ name: 'bastion' }) });
      const result = await using.withSession(behind, (s) =>
        s.run(sh`echo "$SSH_CONNECTION" | cut -d' ' -f4`, limit),
      );
      expect(result.stdout).toBe(`${inner.port}\n`);
      const wrong = inner.target({ jump: sshd.target({ name: 'bastion', hostKeys: [OTHER_KEY] }) });
      expect(await refusal(wrong, using)).toMatchObject({ type: 'host-key-mismatch', host: 'bastion' });
      // The jump host itself could answer in the place of what is behind it.
      const other = inner.target({
        name: 'inner',
        hostKeys: [OTHER_KEY],
        jump: sshd.target({ name: 'bastion' }),
      });
      expect(await refusal(other, using)).toMatchObject({ type: 'host-key-mismatch', host: 'inner' });
      const nowhere = inner.target({
        name: 'inner',
        port: await freePort(),
        jump: sshd.target({ name: 'bastion' }),
      });
      expect(await refusal(nowhere, using)).toMatchObject({ type: 'unreachable', host: 'inner' });
      await using.close();
    } finally {
      await inner.stop();
    }
  });

  describe.skipIf(!existsSync('/usr/bin/sudo'))('a user who is not root', () => {
    const user = `doaas${randomBytes(4).toString('hex')}`;
    const rule = `/etc/sudoers.d/${user}`;
    beforeAll(() => {
      // `*` is no password but not locked, or sshd without PAM refuses the account.
      execFileSync('useradd', [
        '--no-create-home',
        '--home-dir',
        '/',
        '--shell',
        '/bin/sh',
        '--password',
        '*',
        user,
      ]);
    });
    afterAll(async () => {
      await sshd.disconnect();
      execFileSync('rm', ['-f', rule]);
      // By force, because sshd's process of a closed connection may take a moment to go.
      execFileSync('userdel', ['--force', user], { stdio: 'ignore' });
    });

    test('sudo refused says which line is missing; with it, root; become false, not', async () => {
      const target = sshd.target({ user, become: 'sudo' });
      const error = await refusal(target);
      expect(error).toMatchObject({ type: 'sudo-refused', retryable: false, ambiguous: false });
      expect(error.message).toContain(`${user} ALL=(root) NOPASSWD: /bin/sh`);

      await writeFile(rule, `${user} ALL=(root) NOPASSWD: /bin/sh\n`, { mode: 0o440 });
      const using = sshd.transport();
      const who = (become?: boolean) =>
        using.withSession(target, (s) =>
          s.run(sh`id -un; cat`, {
            ...limit,
            stdin: Buffer.from('in'),
            ...(become === undefined ? {} : { become }),
          }),
        );
      expect((await who()).stdout).toBe('root\nin');
      expect((await who(false)).stdout).toBe(`${user}\nin`);

      const mark = `88${Math.floor(Math.random() * 1e6)}`;
      const cut = await using
        .withSession(target, (s) => s.run(sh`sleep ${mark}.1 & sleep ${mark}.2; wait`, { timeoutSeconds: 6 }))
        .catch((e: unknown) => e);
      expect(cut).toMatchObject({ type: 'timed-out' });
      expect((cut as Error).message).toContain('its processes were ended');
      expect(sleeping(mark)).toBe(0);
    });

    test('a user without a shell is told so', async () => {
      execFileSync('usermod', ['--shell', '/usr/sbin/nologin', user]);
      const error = await refusal(sshd.target({ user }));
      execFileSync('usermod', ['--shell', '/bin/sh', user]);
      expect(error).toMatchObject({ type: 'shell-unusable' });
    });
  });
});

async function ask(session: Session, port: number): Promise<string> {
  const stream = await session.connect('127.0.0.1', port);
  stream.write('hello');
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  stream.destroy();
  return text;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Processes `sleep MARK.n`. */
function sleeping(mark: string): number {
  const rows = execFileSync('ps', ['-e', '-o', 'stat=,args=']).toString().split('\n');
  return rows.filter((row) => new RegExp(`^[^Z]\\S* +sleep ${mark}\\.`).test(row)).length;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true within 15 s');
    await sleep(20);
  }
}
