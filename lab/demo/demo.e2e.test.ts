import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../test/until.ts';
import { DEMO_LAB } from '../cli.ts';
import { usedIndexes } from '../network.ts';
import { labNames, readHosts } from '../records.ts';
import { kernelName, labSettings } from '../settings.ts';

const ROOT = join(import.meta.dirname, '../..');
const MINUTES = 60_000;
/** For processes to be gone once the demo has ended, seconds. */
const GONE_SECONDS = 5;

/** For the lab's watcher to take down the servers of a demo that was killed, seconds. */
const WATCHED_SECONDS = 60;

interface Demo {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  /** Of its servers' lab, or how that begins. */
  readonly lab: string;
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
    // A process group of its own, as a terminal gives it.
    detached: true,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const lab = flags.includes('--keep') ? DEMO_LAB : `lab-${child.pid}-`;
  return { child, output: () => text, ended, lab, tmp, orphansBefore };
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

/** Everything of this machine that is of the demo: its lab, mounts, namespaces and processes. */
async function running(demo: Demo): Promise<string[]> {
  const labs = (await labNames(labSettings())).filter((lab) => lab.startsWith(demo.lab));
  const mounts = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(`/labs/${demo.lab}`));
  const namespaces = (await orphans()).filter((name) => !demo.orphansBefore.includes(name));
  return [...labs, ...mounts, ...namespaces, ...(await processesNaming(demo.tmp))];
}

/** tsx keeps what it compiled there, for the next program. */
async function files(demo: Demo): Promise<string[]> {
  return (await readdir(demo.tmp)).filter((name) => !name.startsWith('tsx-'));
}

/** As a person types it in a second terminal; gives what it prints. */
async function shell(commands: string): Promise<string> {
  return (await promisify(execFile)('sh', ['-euc', commands])).stdout;
}

/** A terminal sends Ctrl-C and its own end to all processes of the group; `kill` reaches one. */
function stop(demo: Demo, signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
  const pid = demo.child.pid ?? 0;
  try {
    process.kill(signal === 'SIGTERM' ? pid : -pid, signal);
  } catch (error) {
    // it has ended already
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function isUp({ child }: Demo): boolean {
  return child.exitCode === null && child.signalCode === null;
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

async function expectNone(find: () => Promise<readonly string[]>, seconds: number): Promise<void> {
  await until(
    async () => ((await find()).length === 0 ? true : undefined),
    'nothing to be left',
    seconds,
    async () => (await find()).join('\n'),
  );
}

function expectNothingLeft(demo: Demo): Promise<void> {
  return expectNone(async () => [...(await running(demo)), ...(await files(demo))], GONE_SECONDS);
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
      /✗ doaas\/apply +Probe http:\/\/localhost:8080\/ failed on web-\d; 1 server restored as before/,
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
    ['while the engine starts', "the lab's GitHub serves", 'SIGTERM', 143],
    ['by Ctrl-C in the middle of an apply', 'comments: /doaas apply', 'SIGINT', 130],
  ] as const)('leaves nothing when it is stopped %s', async (_when, text, signal, exit) => {
    demo = await startDemo();
    await saying(demo, text);
    stop(demo, signal);
    expect(await demo.ended).toBe(exit);
    expect(demo.output()).toContain('Stopping, and removing everything');
    expect(demo.output()).not.toContain('The demo failed');
    await expectNothingLeft(demo);
  });

  it('keeps it all running with --keep, and what it says to try works, until its terminal is closed', async () => {
    demo = await startDemo('--keep');
    await saying(demo, 'What happens in pull requests from here on');
    const [, advice = ''] =
      /# names and tokens for the commands below\n(.*)# other commands/s.exec(demo.output()) ?? [];
    const [intoShell = ''] = /^.*doaas lab ssh web-1$/m.exec(advice) ?? [];
    const [opening = '', reviewing = ''] = advice.replace(intoShell, '').split(/^ *# review it .*$/m);
    const [review = ''] = reviewing.split(/^ *# see for yourself$/m);
    await shell(opening);
    await saying(demo, /✓ doaas\/plan +#3 3 changes on 3 servers/);
    await shell(`${opening.split('\n')[0]}\n${review}`);
    await saying(demo, '#3 is merged');
    expect(await shell(`${intoShell} cat /srv/shop/index.html`)).toBe('<h2>Hello from web-1</h2>\n');
    stop(demo, 'SIGHUP');
    expect(await demo.ended).toBe(0);
    await expectNothingLeft(demo);
  });

  it('leaves nothing when Ctrl-C comes while it still prepares', async () => {
    demo = await startDemo();
    await saying(demo, 'Temporal comes from');
    stop(demo, 'SIGINT');
    expect(await demo.ended).not.toBe(0);
    expect(demo.output()).not.toContain('booting');
    await expectNothingLeft(demo);
  });

  it('leaves nothing when Ctrl-C is pressed again and again while the servers boot', async () => {
    demo = await startDemo();
    await saying(demo, 'booting three servers');
    stop(demo, 'SIGINT');
    await saying(demo, 'Stopping, and removing everything');
    // how long it has something to clean up depends on how far the boot had come
    while (isUp(demo) && !demo.output().includes('Still cleaning up')) {
      stop(demo, 'SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    stop(demo, 'SIGINT');
    expect(await demo.ended).toBe(130);
    await expectNothingLeft(demo);
  });

  it('leaves nothing that runs when it is killed itself', async () => {
    demo = await startDemo();
    await saying(demo, 'the engine is up');
    demo.child.kill('SIGKILL');
    await demo.ended;
    const killed = demo;
    await expectNone(() => running(killed), WATCHED_SECONDS);
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
