import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labNames, readHosts } from './records.ts';
import { labSettings } from './settings.ts';

const ROOT = join(import.meta.dirname, '..');
const DOAAS = join(ROOT, 'bin/doaas');
const MINUTES = 60_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Block {
  readonly language: string;
  readonly text: string;
}

/** Fenced blocks of a page, in order. */
function blocksOf(page: string): readonly Block[] {
  const found = page.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...found].map(([, language = '', text = '']) => ({ language, text }));
}

/** What a console block shows after a command. */
function shownAfter(blocks: readonly Block[], command: string, nth = 0): string {
  const consoles = blocks.filter((block) => block.language === 'console').map((block) => block.text);
  const shown = consoles
    .flatMap((text) => text.split(/^\$ /m))
    .filter((text) => text.startsWith(`${command}\n`));
  const block = shown[nth];
  if (block === undefined) throw new Error(`the page shows no output of ${command}`);
  return block.slice(command.length + 1);
}

/** As the page says of its outputs: only the address and the name of the mirror are changed. */
function likeThePage(text: string): string {
  return text.replaceAll(/ from \S+ bookworm\/main/g, ' from http://mirror.example.org/debian bookworm/main');
}

/** The lab of the command line, and with it the walk of docs/first-repository.md up to the engine, as it is written. */
describe('doaas lab, and a first repository on one of its servers', { timeout: 2 * MINUTES }, () => {
  let dir = '';
  let infra = '';
  let key = '';
  let address = '';
  let blocks: readonly Block[] = [];

  /** Runs `bin/doaas`; the lab is one of its own, beside the one that a person may have. */
  const doaas = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    new Promise((resolve) => {
      const options = { cwd: infra, env: { ...process.env, DOAAS_LAB_DIR: join(dir, 'lab'), ...env } };
      execFile(DOAAS, argv, options, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
      });
    });
  const loggedIn = (...argv: string[]) => doaas(argv, { DOAAS_SSH_KEY_FILE: key });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'doaas-lab-cli-'));
    infra = join(dir, 'infra');
    await mkdir(infra);
    blocks = blocksOf(await readFile(join(ROOT, 'docs/first-repository.md'), 'utf8'));
  });
  afterAll(async () => {
    await doaas(['lab', 'down']);
    await rm(dir, { recursive: true, force: true });
  }, MINUTES);

  test('up boots servers, says so as they come, and gives address and host key', async () => {
    const { code, stdout, stderr } = await doaas(['lab', 'up', '1']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/host host-1 is up at .+ \(1 of 1\)/),
    });
    expect(stdout).toMatch(/^host-1\t10\.77\.0\.\d+\tssh-ed25519 \S+\n$/);
    const more = await doaas(['lab', 'up', 'alpha']);
    expect(more.stdout).toMatch(/^alpha\t/);
    expect(await doaas(['lab', 'up', 'alpha'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('alpha already'),
    });
  });

  test('status lists them with the key that opens them', async () => {
    const rows = (await doaas(['lab', 'status'])).stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split('\t'));
    expect(rows.map(([name, , state]) => [name, state])).toEqual([
      ['host-1', 'running'],
      ['alpha', 'running'],
    ]);
    [, address = '', , , key = ''] = rows[0] ?? [];
    expect(await readFile(key, 'utf8')).toContain('PRIVATE KEY');
  });

  test('ssh runs a command there and ends with its code', async () => {
    expect(await doaas(['lab', 'ssh', 'alpha', 'hostname; exit 7'])).toEqual({
      code: 7,
      stdout: 'alpha\n',
      stderr: '',
    });
    expect(await doaas(['lab', 'ssh', 'nobody'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'doaas lab ssh: no host nobody; `doaas lab status` lists them\n',
    });
  });

  test('the page: scan gives the document, which is valid', async () => {
    const { code, stdout, stderr } = await loggedIn('scan', address, '--user', 'deploy', '--name', 'web-1');
    expect(code).toBe(0);
    expect(stderr).toContain("On the machine's console:");
    const general = (text: string) =>
      text
        .replaceAll(/^# (OS|CPUs): .*$/gm, '# $1: ...')
        .replaceAll(/AAAA\S+(?=")/g, 'KEY')
        .replaceAll(/SHA256:\S+/g, 'SHA256:...')
        .replaceAll(/"(203\.0\.113\.5|10\.77\.0\.\d+)"/g, '"ADDRESS"');
    expect(general(stdout)).toBe(general(shownAfter(blocks, 'cat servers.yaml')));
    await writeFile(join(infra, 'servers.yaml'), stdout);
    const motd = blocks.find(({ language }) => language === 'yaml');
    await writeFile(join(infra, 'motd.yaml'), motd?.text ?? '');
    expect(await doaas(['validate', '.'])).toEqual({
      code: 0,
      stdout: shownAfter(blocks, 'doaas validate .'),
      stderr: '',
    });
  });

  test('the page: the plan is what it shows, and the mistakes read as it shows them', async () => {
    const plan = await loggedIn('plan', '.');
    expect({ code: plan.code, text: likeThePage(plan.stdout) }).toEqual({
      code: 3,
      text: shownAfter(blocks, 'doaas plan .'),
    });
    const bad = `apiVersion: doaas/v1
kind: Configuration
metadata: { name: bad }
spec:
  targets: { hosts: [web-1] }
  files:
    /etc/issue: { content: "x", mode: 0644 }
  pakages: {}
`;
    await writeFile(join(infra, 'bad.yaml'), bad);
    const { code, stdout, stderr } = await doaas(['validate', '.']);
    await rm(join(infra, 'bad.yaml'));
    expect({ code, said: `${stderr}${stdout}` }).toEqual({
      code: 1,
      said: shownAfter(blocks, 'doaas validate .', 1),
    });
  });

  test('the page: the probe that goes wrong is valid', async () => {
    const probes =
      blocks.find(({ language, text }) => language === 'yaml' && text.includes('probes:'))?.text ?? '';
    const motd = await readFile(join(infra, 'motd.yaml'), 'utf8');
    await writeFile(join(infra, 'motd.yaml'), `${motd}${probes}`);
    expect(await doaas(['validate', '.'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('down removes all of them with everything on them', async () => {
    const settings = labSettings({ DOAAS_LAB_DIR: join(dir, 'lab') });
    expect(await readHosts(settings, 'default')).toHaveLength(2);
    expect(await doaas(['lab', 'down'])).toEqual({ code: 0, stdout: 'removed default\n', stderr: '' });
    expect(await labNames(settings)).toEqual([]);
    expect((await doaas(['lab', 'status'])).stdout).toContain('no hosts');
    expect((await doaas(['lab', 'down'])).stdout).toBe('there was nothing to remove\n');
  });
});
