import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { commands } from './commands.ts';
import { doaas } from './testing.ts';

const BIN = fileURLToPath(new URL('../../bin/doaas', import.meta.url));
const DOCUMENT = new URL('../../docs/cli.md', import.meta.url);

describe('doaas', () => {
  test('alone shows all commands and counts as wrong use', async () => {
    const { status, stdout, stderr } = await doaas([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    for (const { name } of commands) expect(stderr).toContain(`\n  ${name} `);
  });

  test.each([
    ['paln', 'plan'],
    ['stat', 'status'],
    ['Validate', 'validate'],
  ])('%s means %s', async (typed, meant) => {
    expect(await doaas([typed])).toEqual({
      status: 2,
      stdout: '',
      stderr: `doaas: there is no command "${typed}"; did you mean \`doaas ${meant}\`? \`doaas help\` lists all.\n`,
    });
  });

  test('an unknown command like no other gets no guess, and no control characters', async () => {
    expect((await doaas(['\u001b[2Jxyzzyxyzzy'])).stderr).toBe(
      'doaas: there is no command "\\u001b[2Jxyzzyxyzzy". `doaas help` lists all.\n',
    );
  });

  test.each(commands.map((command) => command.name))(
    '%s --help shows its usage and exit codes',
    async (name) => {
      const { status, stdout, stderr } = await doaas([name, '--help']);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain(`Usage: doaas ${name}`);
      if (name !== 'rollback') expect(stdout).toContain('Exit codes: 0 ');
      expect((await doaas(['help', name])).stdout).toBe(stdout);
    },
  );

  test.each([
    [['validate'], 'Give exactly one PATH.'],
    [['validate', '.', '--jsn'], "Unknown option '--jsn'"],
    [['validate', '/does/not/exist'], '/does/not/exist cannot be read: it does not exist.'],
    [['scan'], 'Give one HOST.'],
    [['scan', 'a b'], '"a b" is not a host or HOST:PORT'],
    [['scan', 'x', '--become', 'doas'], '--become is sudo or none, not "doas".'],
    [['scan', 'x', '--name'], "Option '--name <value>' argument missing."],
    [['rollback', '7'], 'It takes no arguments.'],
    [['lab', 'up', '0'], 'from 1 to 253, not 0.'],
    [['plan'], 'Give one PATH'],
    [['plan', '.', '--hots', 'a'], "Unknown option '--hots'"],
    [['plan', '.', '--repository', 'infra'], '--repository is OWNER/NAME, not "infra".'],
    [['plan', 'show'], 'Give one DIGEST'],
    [['plan', 'show', 'xyz'], 'A DIGEST is 4 to 64 characters of 0-9 and a-f.'],
    [['status', 'now'], "Unexpected argument 'now'"],
    [['unlock'], 'Give one HOST'],
    [['lab'], 'Say what to do'],
    [['start', 'now'], 'It takes no arguments'],
  ])('%j is wrong use, in a sentence', async (argv, words) => {
    const { status, stdout, stderr } = await doaas(argv);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).toContain(`See: doaas ${argv[0]} --help\n`);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('rollback says where it is done', async () => {
    const { status, stdout } = await doaas(['rollback']);
    expect(status).toBe(0);
    expect(stdout).toContain('comment  /doaas rollback');
  });
});

test('bin/doaas works from any directory and through a link', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-bin-'));
  try {
    await symlink(BIN, join(dir, 'doaas'));
    const { stdout } = await promisify(execFile)(join(dir, 'doaas'), ['--version'], { cwd: dir });
    expect(stdout).toMatch(/^doaas \d+\.\d+\.\d+\n$/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('docs/cli.md gives the usage of every command as --help does', async () => {
  const document = await readFile(DOCUMENT, 'utf8');
  for (const usage of commands.flatMap((command) => command.usage))
    expect(document).toContain(`doaas ${usage}`);
});
