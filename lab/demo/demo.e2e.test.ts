import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../test/until.ts';
import { usedIndexes } from '../network.ts';
import { labNames, readHosts } from '../records.ts';
import { kernelName, labSettings } from '../settings.ts';

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
  readonly orphansBefore: readonly string[];
}

/** The demo as a child with a folder for temporary files of its own, so that what it leaves can be told. */
async function startDemo(...flags: string[]): Promise<Demo> {
  const tmp = await mkdtemp(join(tmpdir(), 'demo-test-'));
  const orphansBefore = await orphans();
  const child = spawn('sh', ['scripts/demo.sh', ...flags], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: tmp },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => text, ended, tmp, orphansBefore };
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

/** Everything of this machine that is of the demo: its lab, mounts, processes, namespaces and temporary files. */
async function leftovers(demo: Demo): Promise<string[]> {
  const own = `lab-${demo.child.pid}-`;
  const labs = (await labNames(labSettings())).filter((lab) => lab.startsWith(own));
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(own));
  const namespaces = (await orphans()).filter((name) => !demo.orphansBefore.includes(name));
  // tsx keeps what it compiled there, for the next program.
  const files = (await readdir(demo.tmp)).filter((name) => !name.startsWith('tsx-'));
  return [...labs, ...mounts, ...namespaces, ...(await processesNaming(demo.tmp)), ...files];
}

/** Namespaces of lab hosts that no lab knows. */
async function orphans(): Promise<string[]> {
  const settings = labSettings();
  const namespaces = [...(await usedIndexes())].map(kernelName);
  const hosts = await Promise.all((await labNames(settings)).map((lab) => readHosts(settings, lab)));
  const known = hosts.flat().map((host) => kernelName(host.index));
  return namespaces.filter((name) => !known.includes(name));
}

/** By command line or environment, so that children of children are found, too. */
async function processesNaming(dir: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const texts = ['cmdline', 'environ'].map((file) =>
        readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''),
      );
      const [command = '', environment = ''] = await Promise.all(texts);
      // One for all labs of this machine: whichever starts it first, the last one ends it.
      const shared = command.includes('apt-cacher-ng');
      return !shared && `${command}${environment}`.includes(dir)
        ? [`${pid} ${command.replaceAll('\0', ' ')}`]
        : [];
    }),
  );
  return lines.flat();
}

async function expectNothingLeft(demo: Demo): Promise<void> {
  await until(
    async () => ((await leftovers(demo)).length === 0 ? true : undefined),
    'nothing to be left',
    GONE_SECONDS,
    async () => (await leftovers(demo)).join('\n'),
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
      /✓ doaas\/apply +Applied 12 changes on 3 servers/,
      /✓ doaas\/verify +Verified: 3 of 3 probes passed/,
      /doaas\[bot\] merges #1 into main/,
      /\$ curl http:\/\/10\.77\.0\.\d+:8080\/ +<h1>Hello from web-3<\/h1>/,
      /✗ doaas\/apply +Probe http http:\/\/localhost:8080\/ failed on web-\d; 1 server restored as before/,
      /[1-9]\d*\s+paths[\s\S]*and [1-9]\d*\s+facts/,
      /Nothing\s+differs/,
      /kill -9 \d+: the engine and its Temporal server are gone/,
      /doaas\[bot\] merges #3 into main/,
      /has\s+one\s+new\s+entry/,
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
