/** `npm run demo`: the whole product in a minute, on real servers of this machine. */
import { parseArgs } from 'node:util';
import { serverYaml, startWorld, type World } from '../../test/world.ts';
import { DEMO_LAB } from '../cli.ts';
import { labObstacle } from '../prerequisites.ts';
import { keepRunning } from './keep.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { badChange, goodChange, introduce, killedEngine } from './story.ts';
import { styleFor } from './style.ts';

const HELP = `Usage: npm run demo [-- --keep] [-- --kill]

Plays two pull requests on three real Debian servers that it boots on this machine (needs Linux and root):
a good one, which is applied, verified and merged, and one whose health probe fails, which is rolled back.
It takes about a minute and removes everything at the end, also after Ctrl-C.

  --keep   leaves everything running afterwards, and says what to try; Ctrl-C ends it
  --kill   also ends the engine with kill -9 in the middle of an apply, and starts it again
  --help   this text

Exit codes: 0 the story went as told, 1 it did not or cannot run here, 2 wrong use, 130 interrupted.
`;

const EXIT = { done: 0, failed: 1, usage: 2 } as const;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
const HOSTS = ['web-1', 'web-2', 'web-3'];

/** Why the story ended early. */
class Interrupted extends Error {
  readonly type = 'interrupted';
  readonly exit: number;
  constructor(signal: keyof typeof SIGNALS) {
    super(signal);
    this.exit = 128 + SIGNALS[signal];
  }
}

interface Flags {
  readonly keep: boolean;
  readonly kill: boolean;
}

async function main(argv: readonly string[]): Promise<number> {
  const flags = readFlags(argv);
  if (typeof flags === 'number') return flags;
  const obstacle = await labObstacle();
  if (obstacle !== undefined) {
    process.stderr.write(`The demo cannot run here: ${obstacle}.\n`);
    return EXIT.failed;
  }
  const narrator = createNarrator(process.stdout, styleFor(process.stdout, process.env));
  const stop = new AbortController();
  listen(stop, narrator);
  try {
    await play(narrator, flags, stop.signal);
    return EXIT.done;
  } catch (error) {
    if (stop.signal.reason instanceof Interrupted) return stop.signal.reason.exit;
    process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : error}\n`);
    return EXIT.failed;
  }
}

function readFlags(argv: readonly string[]): Flags | number {
  const options = {
    keep: { type: 'boolean' },
    kill: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options });
    if (values.help !== true) return { keep: values.keep === true, kill: values.kill === true };
    process.stdout.write(HELP);
    return EXIT.done;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return EXIT.usage;
  }
}

/** The first signal stops the story; further ones do not stop the cleaning. */
function listen(stop: AbortController, narrator: Narrator): void {
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      narrator.lines([
        '',
        stop.signal.aborted ? 'Still cleaning up; a moment ...' : 'Stopping, and removing everything ...',
      ]);
      stop.abort(new Interrupted(name));
    });
  }
  // A reader that has gone (`npm run demo | head`) is a reason to stop, too.
  process.stdout.on('error', () => stop.abort(new Interrupted('SIGHUP')));
}

async function play(narrator: Narrator, flags: Flags, signal: AbortSignal): Promise<void> {
  const startedAt = Date.now();
  narrator.lines(['', narrator.style.bold('DOaaS: pull requests that change real servers'), '']);
  narrator.say(
    'Everything in this demo runs on this machine and is removed at the end. Ctrl-C ends it at any time.',
  );
  narrator.chapter('Preparing');
  const world = await prepare(narrator, flags, signal);
  try {
    await unlessAborted(signal, tell({ world, narrator, signal }, flags));
    narrator.lines(['', `The story took ${seconds(startedAt)}.`]);
    if (flags.keep) await keepRunning({ world, narrator, signal });
  } finally {
    const closingAt = Date.now();
    await world.close();
    narrator.lines([
      `Everything is removed again: servers, GitHub, Temporal, engine (${seconds(closingAt)}).`,
    ]);
  }
}

async function prepare(narrator: Narrator, flags: Flags, signal: AbortSignal): Promise<World> {
  narrator.event('booting three servers: Debian 12 with systemd and sshd, each on a network of its own');
  return startWorld({
    hosts: HOSTS,
    ...(flags.keep ? { lab: DEMO_LAB } : {}),
    repository: 'infra',
    files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    engine: 'process',
    environment: { DOAAS_LOG_LEVEL: 'info' },
    progress: narrator.event,
    signal,
  });
}

async function tell(scene: Parameters<typeof goodChange>[0], flags: Flags): Promise<void> {
  await introduce(scene);
  await goodChange(scene);
  await badChange(scene);
  if (flags.kill) await killedEngine(scene);
}

/** Rejects at once when aborted; what runs on meets a world that is closing, and its errors are of no interest. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, aborted]);
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(0)} s`;
}

process.exit(await main(process.argv.slice(2)));
