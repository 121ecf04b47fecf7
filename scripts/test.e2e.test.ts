import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const WHY = 'the lab needs root (namespaces, mounts, control groups); run as root';
/** Pure and short: this is about what stands around it. */
const SOME_TESTS = 'engine/shell';

interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
}

/** In a user namespace of its own a process is nobody, and may still read a clone that only root may. */
const AS_NOBODY = process.getuid?.() === 0 ? ['unshare', '--user'] : [];

/** Vitest's own variables are left out: this starts another one. */
function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [program = '', ...args] = argv;
  const clean = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };
  return new Promise((resolve) => {
    execFile(program, args, { cwd: ROOT, env: { ...clean, ...env } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, lines: `${stdout}${stderr}`.trimEnd().split('\n') });
    });
  });
}

describe('without root', { timeout: 120_000 }, () => {
  const npmTest = (env: Readonly<Record<string, string>> = {}) =>
    run([...AS_NOBODY, 'sh', 'scripts/test.sh', SOME_TESTS], env);

  test('npm test runs the rest and says in a sentence why the end-to-end tests are skipped', async () => {
    const { code, lines } = await npmTest();
    expect({ code, first: lines[0], last: lines.slice(-2) }).toEqual({
      code: 0,
      first: `The end-to-end tests are skipped: ${WHY}.`,
      last: [
        `The end-to-end tests were skipped: ${WHY}.`,
        expect.stringMatching(/^[1-9]\d* passed, 0 failed$/),
      ],
    });
  });

  test('with CI=true a skip is a failure', async () => {
    const { code, lines } = await npmTest({ CI: 'true' });
    expect({ code, last: lines.slice(-3) }).toEqual({
      code: 1,
      last: [
        `The end-to-end tests were skipped: ${WHY}.`,
        'With CI=true what is skipped counts as failed.',
        expect.stringMatching(/^[1-9]\d* passed, 1 failed$/),
      ],
    });
  });

  test.each([
    [['sh', 'scripts/demo.sh'], `This machine cannot run the lab: ${WHY}.`],
    [['bin/doaas', 'lab', 'up', '1'], `doaas lab up: ${WHY}.`],
  ])('%j says why it cannot', async (argv, sentence) => {
    expect(await run([...AS_NOBODY, ...argv])).toEqual({ code: 1, lines: [sentence] });
  });
});

describe('a machine that lacks the right Node', () => {
  let bin = '';
  beforeAll(async () => {
    bin = await mkdtemp(join(tmpdir(), 'doaas-node-'));
    await symlink('/usr/bin/dirname', join(bin, 'dirname'));
  });
  afterAll(() => rm(bin, { recursive: true, force: true }));

  test.each(['test', 'demo'])('npm run %s says which one is needed', async (script) => {
    const start = () => run(['/bin/sh', `scripts/${script}.sh`], { PATH: bin });
    expect(await start()).toEqual({
      code: 1,
      lines: [
        'Node 20.19 or newer is needed and there is none: install it from https://nodejs.org, then try again.',
      ],
    });
    // The check runs in that Node itself, which is too old to be had: it is refused as an old one refuses.
    await writeFile(
      join(bin, 'node'),
      '#!/bin/sh\n[ "$1" = --version ] && echo v18.19.0 && exit 0\nexit 1\n',
      { mode: 0o755 },
    );
    expect(await start()).toEqual({ code: 1, lines: ['Node 20.19 or newer is needed; this is v18.19.0.'] });
    await rm(join(bin, 'node'));
  });
});
