import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decryptAge, encryptAge, newAgeKey, parseEntries } from '../secrets/age.ts';
import { main } from './main.ts';

const BIN = fileURLToPath(new URL('../../bin/doaas', import.meta.url));

describe('doaas secret', () => {
  let root = '';
  let key = { identity: '', recipient: '' };
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'doaas-secret-'));
    key = await newAgeKey();
    await mkdir(join(root, '.doaas'));
    await writeFile(join(root, '.doaas/recipients'), `# the engine\n${key.recipient} # us\n`);
    vi.stubEnv('DOAAS_AGE_KEY', key.identity);
    vi.stubEnv('VISUAL', '');
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true, force: true });
  });

  const run = async (...argv: readonly string[]) => {
    const out = { stdout: '', stderr: '' };
    const io = {
      stdout: { isTTY: false, write: (text: string) => (out.stdout += text) },
      stderr: { write: (text: string) => (out.stderr += text) },
    };
    return { status: await main(['secret', ...argv], io), ...out };
  };
  /** An editor that puts this text into the file. */
  const editorThatWrites = async (...texts: readonly string[]) => {
    await writeFile(join(root, 'texts'), `${texts.join('\n')}\n`);
    await writeFile(
      join(root, 'editor'),
      `cd '${root}' && head -n1 texts > "$1" && { [ "$(wc -l < texts)" = 1 ] || sed -i 1d texts; }`,
    );
    vi.stubEnv('EDITOR', `sh ${join(root, 'editor')}`);
  };
  const plain = async (path: string, keys = [key.identity]) =>
    decryptAge(await readFile(join(root, path)), keys, path);

  test('keygen prints a pair that fits', async () => {
    const { status, stdout } = await run('keygen');
    const [, recipient = '', identity = ''] =
      /^# public key: (age1\S+)\n(AGE-SECRET-KEY-1\S+)\n$/.exec(stdout) ?? [];
    expect(status).toBe(0);
    expect(await decryptAge(Buffer.from(await encryptAge('x', [recipient])), [identity], 'f')).toBe('x');
  });

  test('edit makes a file, and edits it again', async () => {
    await editorThatWrites('db: "hunter2"');
    const made = await run('edit', join(root, 'secrets/app.age'));
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(made.stdout).toMatch(/is encrypted for 1 key of .doaas\/recipients/);
    expect(await readFile(join(root, 'secrets/app.age'), 'utf8')).toMatch(
      /^-----BEGIN AGE ENCRYPTED FILE-----/,
    );
    expect(await plain('secrets/app.age')).toBe('db: "hunter2"\n');
    await editorThatWrites('db: "other"');
    await run('edit', join(root, 'secrets/app.age'));
    expect(await plain('secrets/app.age')).toBe('db: "other"\n');
    const same = await readFile(join(root, 'secrets/app.age'), 'utf8');
    expect((await run('edit', join(root, 'secrets/app.age'))).stdout).toContain('is as it was');
    expect(await readFile(join(root, 'secrets/app.age'), 'utf8')).toBe(same);
  });

  /** An editor that changes the file that it is given by these commands. */
  const editorThat = (commands: string) => {
    vi.stubEnv('EDITOR', `f() { ${commands}; }; f`);
  };

  test('a line goes below or above what edit shows of a new file', async () => {
    editorThat(`grep -q hunter2 "$1" || echo 'db: "hunter2"' >> "$1"`);
    expect(await run('edit', join(root, 'below.age'))).toMatchObject({ status: 0, stderr: '' });
    expect(parseEntries(await plain('below.age'), 'f')).toEqual(new Map([['db', 'hunter2']]));
    editorThat(`grep -q hunter2 "$1" || sed -i '1i db: "hunter2"' "$1"`);
    expect(await run('edit', join(root, 'above.age'))).toMatchObject({ status: 0, stderr: '' });
    expect(parseEntries(await plain('above.age'), 'f')).toEqual(new Map([['db', 'hunter2']]));
  });

  test('edit makes no file where nothing was typed', async () => {
    editorThat(':');
    const left = await run('edit', join(root, 'a.age'));
    expect(left).toMatchObject({ status: 0, stderr: '' });
    editorThat(': > "$1"');
    const emptied = await run('edit', join(root, 'a.age'));
    expect(emptied.status).toBe(1);
    expect(emptied.stderr).toMatch(/Nothing was written/);
    expect(await readdir(root)).not.toContain('a.age');
  });

  test('edit takes the last secret out, but no emptied file', async () => {
    await writeFile(join(root, 'a.age'), await encryptAge('# of the app\ndb: "x"\n', [key.recipient]));
    editorThat(': > "$1"');
    expect((await run('edit', join(root, 'a.age'))).status).toBe(1);
    expect(await plain('a.age')).toBe('# of the app\ndb: "x"\n');
    editorThat(`sed -i '/^db/d' "$1"`);
    expect(await run('edit', join(root, 'a.age'))).toMatchObject({ status: 0, stderr: '' });
    expect(await plain('a.age')).toBe('# of the app\n');
  });

  test('edit takes no file that it cannot read for a new one', async () => {
    await editorThatWrites('db: "hunter2"');
    await mkdir(join(root, 'folder.age'));
    const folder = await run('edit', join(root, 'folder.age'));
    expect(folder).toMatchObject({ status: 1, stdout: '' });
    expect(folder.stderr).toMatch(/folder\.age cannot be read \(EISDIR\)/);
    await symlink(join(root, 'loop.age'), join(root, 'loop.age'));
    const loop = await run('edit', join(root, 'loop.age'));
    expect(loop.stderr).toMatch(/loop\.age cannot be read \(ELOOP\)/);
    expect(await readlink(join(root, 'loop.age'))).toBe(join(root, 'loop.age'));
    // the editor was never opened
    expect(await readFile(join(root, 'texts'), 'utf8')).toBe('db: "hunter2"\n');
  });

  test('recipients that cannot be read are not looked for further up', async () => {
    await mkdir(join(root, 'inner/.doaas/recipients'), { recursive: true });
    await editorThatWrites('db: "hunter2"');
    for (const argv of [
      ['edit', join(root, 'inner/app.age')],
      ['rotate', join(root, 'inner')],
    ]) {
      const { status, stderr } = await run(...argv);
      expect(status).toBe(1);
      expect(stderr).toMatch(/inner\/\.doaas\/recipients cannot be read \(EISDIR\)/);
    }
    expect(await readdir(join(root, 'inner'))).toEqual(['.doaas']);
  });

  describe('edit, while somebody else writes the file,', () => {
    /** An editor in which the text is typed while the file becomes another one. */
    const editorBeside = async (text: string, meanwhile: string) => {
      await writeFile(join(root, 'texts'), `${text}\n`);
      await writeFile(
        join(root, 'editor'),
        `cat '${join(root, 'texts')}' > "$1"; cd '${root}'; ${meanwhile}`,
      );
      vi.stubEnv('EDITOR', `sh ${join(root, 'editor')}`);
    };
    const theirs = async () =>
      writeFile(join(root, 'theirs'), await encryptAge('db: "theirs"', [key.recipient]));

    test.each([
      ['one that was there', 'cp theirs a.age', true],
      ['one that was not', 'cp theirs a.age', false],
    ] as const)('keeps both: %s', async (_, meanwhile, isThere) => {
      await theirs();
      if (isThere) await writeFile(join(root, 'a.age'), await encryptAge('db: "old"', [key.recipient]));
      await editorBeside('db: "hunter2"', meanwhile);
      const { status, stdout, stderr } = await run('edit', join(root, 'a.age'));
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/a\.age was changed while it was edited, .*a\.edited-1\.age/s);
      expect(stderr).not.toContain('hunter');
      expect(await plain('a.age')).toBe('db: "theirs"');
      expect(await plain('a.edited-1.age')).toBe('db: "hunter2"\n');
      // a second one does not take the place of the first
      await writeFile(join(root, 'theirs'), await encryptAge('db: "again"', [key.recipient]));
      await editorBeside('db: "hunter3"', meanwhile);
      await run('edit', join(root, 'a.age'));
      expect(await plain('a.edited-1.age')).toBe('db: "hunter2"\n');
      expect(await plain('a.edited-2.age')).toBe('db: "hunter3"\n');
      expect((await readdir(root)).filter((name) => name.includes('.new'))).toEqual([]);
    });

    test('keeps what was typed where it was removed', async () => {
      await writeFile(join(root, 'a.age'), await encryptAge('db: "old"', [key.recipient]));
      await editorBeside('db: "hunter2"', 'rm a.age');
      const { status, stderr } = await run('edit', join(root, 'a.age'));
      expect(status).toBe(1);
      expect(stderr).toMatch(/a\.age was changed while it was edited/);
      expect(await readdir(root)).not.toContain('a.age');
      expect(await plain('a.edited-1.age')).toBe('db: "hunter2"\n');
    });

    test('does nothing where nothing was typed', async () => {
      await theirs();
      await writeFile(join(root, 'a.age'), await encryptAge('db: "old"\n', [key.recipient]));
      await editorBeside('db: "old"', 'cp theirs a.age');
      expect((await run('edit', join(root, 'a.age'))).stdout).toContain('is as it was');
      expect(await plain('a.age')).toBe('db: "theirs"');
    });
  });

  test('edit opens again on a mistake, gives up on the same one, and leaves no file behind', async () => {
    const left = async () =>
      (await readdir('/dev/shm').catch(() => [])).filter((name) => name.startsWith('doaas-edit-'));
    const before = await left();
    await editorThatWrites('db: [hunter2', 'db: "right"');
    const second = await run('edit', join(root, 'a.age'));
    expect(second.stderr).toMatch(/a.age does not hold valid YAML or JSON. The editor opens again/);
    expect(await plain('a.age')).toBe('db: "right"\n');
    await editorThatWrites('db: [hunter2');
    const gaveUp = await run('edit', join(root, 'b.age'));
    expect(gaveUp.status).toBe(1);
    expect(gaveUp.stderr).toMatch(/Nothing was written/);
    expect(gaveUp.stderr).not.toContain('hunter2');
    expect(await readdir(root)).not.toContain('b.age');
    expect(await left()).toEqual(before);
  });

  test('edit keeps what was typed while it cannot be stored', async () => {
    await mkdir(join(root, 'a.age.new'));
    // types, and then makes room
    const editor = `cd '${root}'; if grep -q hunter2 "$1"; then rmdir a.age.new; else echo 'db: "hunter2"' > "$1"; fi`;
    await writeFile(join(root, 'editor'), editor);
    vi.stubEnv('EDITOR', `sh ${join(root, 'editor')}`);
    const { status, stderr } = await run('edit', join(root, 'a.age'));
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /a\.age cannot be written \(EISDIR\)\. The editor opens again; end it with an error, .* to give up\./,
    );
    expect(await plain('a.age')).toBe('db: "hunter2"\n');
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)('edit leaves no file behind when %s ends it', async (signal) => {
    const editor = join(root, 'editor');
    // says where the secrets are, and stays for as long as they do
    await writeFile(editor, 'echo "$1"; while [ -e "$1" ]; do sleep 0.05; done');
    const child = spawn(BIN, ['secret', 'edit', join(root, 'c.age')], {
      env: { ...process.env, EDITOR: `sh ${editor}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    const file = String(line).trim();
    expect(existsSync(file)).toBe(true);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([null, signal]);
    expect(existsSync(dirname(file))).toBe(false);
    expect(await readdir(root)).not.toContain('c.age');
  });

  test('edit leaves a Ctrl-C to the editor', async () => {
    const editor = join(root, 'editor');
    await writeFile(
      editor,
      `echo open; until [ -e ${root}/go ]; do sleep 0.05; done; echo 'db: hunter2' > "$1"`,
    );
    const child = spawn(BIN, ['secret', 'edit', join(root, 'd.age')], {
      env: { ...process.env, EDITOR: `sh ${editor}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    await writeFile(join(root, 'go'), '');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(await plain('d.age')).toBe('db: hunter2\n');
  });

  test('rotate encrypts all files for those who are named now', async () => {
    await mkdir(join(root, 'deep'));
    const [a, b] = ['a.age', 'deep/b.age'];
    for (const path of [a, b])
      await writeFile(join(root, path), await encryptAge(`x: "${path}"`, [key.recipient]));
    const next = await newAgeKey();
    await writeFile(join(root, '.doaas/recipients'), `${next.recipient}\n`);
    const { status, stdout, stderr } = await run('rotate', root);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^2 files are encrypted anew for 1 key of .doaas\/recipients: a.age, deep\/b.age\n/,
    );
    expect(stderr).toMatch(/DOAAS_AGE_KEY is not in .doaas\/recipients/);
    expect(await plain(b, [next.identity])).toBe('x: "deep/b.age"');
    await expect(plain(b)).rejects.toThrow(/cannot be decrypted/);
    vi.stubEnv('DOAAS_AGE_KEY', next.identity);
    vi.stubEnv('DOAAS_AGE_KEY_PREVIOUS', key.identity);
    expect((await run('rotate', root)).stderr).toBe('');
  });

  test('rotate encrypts each file for the nearest recipients, as edit does', async () => {
    const [theirs, gone] = [await newAgeKey(), await newAgeKey()];
    await mkdir(join(root, 'inner/.doaas'), { recursive: true });
    await mkdir(join(root, 'inner/deep'));
    await writeFile(join(root, 'inner/.doaas/recipients'), `${theirs.recipient}\n`);
    for (const path of ['a.age', 'inner/b.age', 'inner/deep/c.age'])
      await writeFile(
        join(root, path),
        await encryptAge(`x: "${path}"`, [key.recipient, theirs.recipient, gone.recipient]),
      );
    const { status, stdout, stderr } = await run('rotate', root);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^1 file is encrypted anew for 1 key of .doaas\/recipients: a.age\n2 files are encrypted anew for 1 key of inner\/.doaas\/recipients: inner\/b.age, inner\/deep\/c.age\n/,
    );
    expect(stderr).toMatch(/^The key of DOAAS_AGE_KEY is not in inner\/.doaas\/recipients: .*\n$/);
    expect(await plain('a.age')).toBe('x: "a.age"');
    await expect(plain('a.age', [theirs.identity])).rejects.toThrow(/cannot be decrypted/);
    for (const path of ['inner/b.age', 'inner/deep/c.age']) {
      expect(await plain(path, [theirs.identity])).toBe(`x: "${path}"`);
      await expect(plain(path)).rejects.toThrow(/cannot be decrypted/);
    }
  });

  test('rotate writes nothing when inner recipients are wrong', async () => {
    await mkdir(join(root, 'inner/.doaas'), { recursive: true });
    await writeFile(join(root, 'inner/.doaas/recipients'), '# nobody\n');
    for (const path of ['a.age', 'inner/b.age'])
      await writeFile(join(root, path), await encryptAge('x: "1"', [key.recipient]));
    const before = await readFile(join(root, 'a.age'), 'utf8');
    const { status, stderr } = await run('rotate', root);
    expect(status).toBe(1);
    expect(stderr).toMatch(/inner\/.doaas\/recipients names nobody/);
    expect(await readFile(join(root, 'a.age'), 'utf8')).toBe(before);
  });

  test('rotate writes nothing when one file cannot be decrypted', async () => {
    const foreign = await newAgeKey();
    await writeFile(join(root, 'a.age'), await encryptAge('x: "1"', [key.recipient]));
    await writeFile(join(root, 'b.age'), await encryptAge('x: "2"', [foreign.recipient]));
    const before = await readFile(join(root, 'a.age'), 'utf8');
    const { status, stderr } = await run('rotate', root);
    expect(status).toBe(1);
    expect(stderr).toMatch(/b.age cannot be decrypted with DOAAS_AGE_KEY/);
    expect(await readFile(join(root, 'a.age'), 'utf8')).toBe(before);
  });

  test('a private key among the recipients is named as what it is, and not repeated', async () => {
    await writeFile(join(root, '.doaas/recipients'), `${key.identity}\n`);
    const { status, stderr } = await run('rotate', root);
    expect(status).toBe(1);
    expect(stderr).toMatch(/holds a private key/);
    expect(stderr).not.toContain(key.identity.slice(0, 20));
  });

  test('a mistyped key is told with its line before the editor opens', async () => {
    await editorThatWrites('db: "hunter2"');
    const { recipient } = await newAgeKey();
    const mistyped = `${recipient.slice(0, -1)}${recipient.endsWith('q') ? 'p' : 'q'}`;
    await writeFile(join(root, '.doaas/recipients'), `# us\n${key.recipient}\n\n${mistyped} # them\n`);
    await writeFile(join(root, 'b.age'), await encryptAge('x: "1"', [key.recipient]));
    for (const argv of [
      ['edit', join(root, 'a.age')],
      ['rotate', root],
    ]) {
      const { status, stdout, stderr } = await run(...argv);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`${root}/.doaas/recipients:4 has "${mistyped.slice(0, 20)}"`);
      expect(stderr).toContain('or a mistyped one');
    }
    expect(await readFile(join(root, 'texts'), 'utf8')).toBe('db: "hunter2"\n');
    expect(await readFile(join(root, 'b.age'), 'utf8')).toContain('BEGIN AGE');
    expect(await plain('b.age')).toBe('x: "1"');
  });

  test.each([[[]], [['edit']], [['nothing']], [['keygen', 'x']], [['rotate', 'a', 'b']]])(
    'wrong use: %j',
    async (argv) => {
      const { status, stderr } = await run(...argv);
      expect(status).toBe(2);
      expect(stderr).toContain('See: doaas secret --help');
    },
  );
});
