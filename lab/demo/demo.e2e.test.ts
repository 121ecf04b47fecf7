import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../test/until.ts';
import { run } from '../run.ts';
import { labSettings } from '../settings.ts';

const ROOT = join(import.meta.dirname, '../..');
const MINUTES = 60_000;
/** For processes to be gone once the demo has ended, seconds. */
const GONE_SECONDS = 5;

interface Demo {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  /** Its own folder for temporary files. */
  readonly tmp: string;
}

/** The demo as a child with a folder for temporary files of its own, so that what it leaves can be told. */
async function startDemo(...flags: string[]): Promise<Demo> {
  const tmp = await mkdtemp(join(tmpdir(), 'demo-test-'));
  const child = spawn('sh', ['scripts/demo.sh', ...flags], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: tmp },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => text, ended, tmp };
}

function saying(demo: Demo, text: string | RegExp): Promise<true> {
  const found = (): boolean =>
    typeof text === 'string' ? demo.output().includes(text) : text.test(demo.output());
  return until(
    async () => {
      if (found()) return true;
      if (demo.child.exitCode !== null) throw new Error(`the demo ended early:\n${demo.output()}`);
      return undefined;
    },
    `the demo to say ${text}`,
    240,
    async () => demo.output(),
  );
}

/** Everything of this machine that names the demo's process, its lab or its temporary folder. */
async function leftovers(demo: Demo, hostsAddresses: readonly string[]): Promise<string[]> {
  const names = hostsAddresses.map((address) => `doaas-lab-${address.split('.').at(-1)}`);
  const labs = await readdir(join(labSettings().stateDir, 'labs')).catch(() => []);
  const owned = labs.filter((lab) => lab.startsWith(`lab-${demo.child.pid}-`) || lab === 'demo');
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n');
  const mounted = mounts.filter((line) => owned.some((lab) => line.includes(`/${lab}/`)));
  const processes = (await run(['ps', '-eo', 'pid,args', '-ww'])).split('\n');
  const running = processes.filter(
    (line) => line.includes(demo.tmp) || owned.some((lab) => line.includes(lab)),
  );
  const namespaces = await takenBy(demo, names);
  return [...owned, ...mounted, ...running, ...namespaces, ...(await readdir(demo.tmp))];
}

/** Another test may have been given the same address since; its host record says whose it is. */
async function takenBy(demo: Demo, names: readonly string[]): Promise<string[]> {
  const namespaces = await readdir('/run/netns').catch(() => []);
  const labs = await readdir(join(labSettings().stateDir, 'labs')).catch(() => []);
  const others = labs.filter((lab) => !lab.startsWith(`lab-${demo.child.pid}-`));
  const records = await Promise.all(
    others.map((lab) =>
      run([
        'grep',
        '-rhs',
        '"index"',
        join(labSettings().stateDir, 'labs', lab),
        '--include=host.json',
      ]).catch(() => ''),
    ),
  );
  return names.filter(
    (name) =>
      namespaces.includes(name) &&
      !records.some((text) => text.includes(`"index": ${name.split('-').at(-1)},`)),
  );
}

function addresses(demo: Demo): string[] {
  return [...demo.output().matchAll(/is up at (10\.77\.0\.\d+)/g)].map(([, address = '']) => address);
}

async function expectNothingLeft(demo: Demo): Promise<void> {
  await until(
    async () => ((await leftovers(demo, addresses(demo))).length === 0 ? true : undefined),
    'nothing to be left',
    GONE_SECONDS,
    async () => (await leftovers(demo, addresses(demo))).join('\n'),
  );
}

describe('the demo', { timeout: 6 * MINUTES }, () => {
  let demo: Demo | undefined;
  afterEach(async () => {
    if (demo === undefined) return;
    demo.child.kill('SIGTERM');
    await demo.ended;
    await rm(demo.tmp, { recursive: true, force: true });
    demo = undefined;
  });

  it('tells the story to its end, kill -9 included, and leaves nothing', async () => {
    const startedAt = Date.now();
    demo = await startDemo('--kill');
    const code = await demo.ended;
    console.log(`the whole demo with --kill took ${Math.round((Date.now() - startedAt) / 1000)} s`);
    expect({ code, output: code === 0 ? '' : demo.output() }).toEqual({ code: 0, output: '' });
    const output = demo.output();
    expect(output, 'no colours where nobody sees them').toBe(stripVTControlCharacters(output));
    for (const line of [
      /✓ doaas\/validate +Valid: 4 documents for 3 servers/,
      /✓ doaas\/plan +12 changes on 3 servers; nginx reloads; fully reversible/,
      /│ web-3 +shop\.conf new \+4 -0 +reload +yes/,
      /✓ doaas\/apply +Applied 15 changes on 3 servers/,
      /✓ doaas\/verify +Verified: 3 of 3 probes passed/,
      /doaas\[bot\] merges #1 into main/,
      /\$ curl http:\/\/10\.77\.0\.\d+:8080\/ +<h1>Hello from web-3<\/h1>/,
      /✗ doaas\/apply +Probe http http:\/\/localhost:8080\/ failed on web-\d; 3 servers restored as before/,
      /[1-9]\d* paths .* and [1-9]\d*\s+facts/,
      /Nothing differs/,
      /kill -9 \d+: the engine and its Temporal server are gone/,
      /doaas\[bot\] merges #3 into main/,
      /has one new entry/,
    ])
      expect(output).toMatch(line);
    await expectNothingLeft(demo);
  });

  it.each([
    ['while the servers boot', 'booting three servers', 'SIGINT', 130],
    ['while the engine starts', "the lab's GitHub serves", 'SIGTERM', 143],
    ['in the middle of an apply', 'comments: /doaas apply', 'SIGINT', 130],
  ] as const)('leaves nothing when it is stopped %s', async (_when, text, signal, exit) => {
    demo = await startDemo();
    await saying(demo, text);
    demo.child.kill(signal);
    expect(await demo.ended).toBe(exit);
    expect(demo.output()).toContain('Stopping, and removing everything');
    expect(demo.output()).not.toContain('failed');
    await expectNothingLeft(demo);
  });

  it('explains itself, and its wrong use', async () => {
    demo = await startDemo('--help');
    expect(await demo.ended).toBe(0);
    expect(demo.output()).toContain('Usage: npm run demo');
    await rm(demo.tmp, { recursive: true, force: true });
    demo = await startDemo('--keeep');
    expect(await demo.ended).toBe(2);
    expect(demo.output()).toContain("Unknown option '--keeep'");
  });
});
