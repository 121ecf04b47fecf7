import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RepositoryError } from './error.ts';
import type { Answered, Asked } from './gitProgram.ts';
import type { RunGit } from './runGit.ts';

/** Starts git from a process of its own. */
export interface GitProcess {
  /** Rejects with a `RepositoryError` that is tried again when the process ends under it, and with git's own words. */
  readonly run: RunGit;
  readonly pid: () => number | undefined;
  /** What is under way is given up. May be called twice. */
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Running {
  readonly child: ChildProcess;
  readonly waiting: Map<number, Waiting>;
}

/** The process bounds git's time by itself; one that has not answered so long after it is ended. */
const ANSWER_WITHIN_MS = 10_000;
/** A process that does not end once nobody is connected to it is killed. */
const END_WITHIN_MS = 2_000;
/** It holds what git prints, at most `OUTPUT_MAX_BYTES` of each order. */
const FLAGS = ['--max-old-space-size=256', '--max-semi-space-size=2'];

/** Source, or its bundle where this is one (scripts/bundle.ts). */
const PROGRAM = new URL('./gitProgram.ts', import.meta.url);

/**
 * Linux copies the page table of a process that starts another, and the engine's is large: each git process stopped
 * everything else for 40 ms (docs/benchmarks.md). The process is started by the first order, and again by the next
 * one when it has ended.
 */
export function gitProcess(): GitProcess {
  let running: Running | undefined;
  let lastId = 0;
  let closed = false;
  const start = (): Running => {
    const source = PROGRAM.pathname.endsWith('.ts');
    const child = fork(fileURLToPath(PROGRAM), {
      execArgv: source ? [...FLAGS, '--import', 'tsx'] : FLAGS,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    const started: Running = { child, waiting: new Map() };
    child.on('message', (answered: Answered) => {
      const asked = started.waiting.get(answered.id);
      if (asked === undefined) return;
      settle(started, answered.id);
      if ('text' in answered) asked.resolve(answered.text);
      else asked.reject(new Error(answered.words));
    });
    const ended = (how: string): void => {
      if (running === started) running = undefined;
      giveUp(started, how);
    };
    child.on('error', (error) => ended(error.message));
    child.on('exit', (code, signal) => ended(`it ended with ${signal ?? code}`));
    rest(started);
    return started;
  };
  return {
    run: (order) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(endedError('the engine is being stopped'));
        try {
          running ??= start();
        } catch (error) {
          return reject(endedError(error instanceof Error ? error.message : String(error)));
        }
        const asked = running;
        lastId += 1;
        const id = lastId;
        const timer = setTimeout(() => {
          asked.child.kill('SIGKILL');
          giveUp(asked, 'it did not answer');
        }, order.timeoutMs + ANSWER_WITHIN_MS);
        asked.waiting.set(id, { resolve, reject, timer });
        rest(asked);
        // a process that could not be started has no channel; its `error` comes a moment later
        if (!asked.child.connected) return giveUp(asked, 'it is not running');
        asked.child.send({ id, order } satisfies Asked, (error) => error && giveUp(asked, error.message));
      }),
    pid: () => running?.child.pid,
    close: async () => {
      closed = true;
      if (running === undefined) return;
      const { child } = running;
      giveUp(running, 'the engine is being stopped');
      const gone = once(child, 'exit');
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
      child.ref();
      await gone;
      clearTimeout(timer);
    },
  };
}

function settle(running: Running, id: number): void {
  clearTimeout(running.waiting.get(id)?.timer);
  running.waiting.delete(id);
  rest(running);
}

function giveUp(running: Running, why: string): void {
  for (const [id, { reject }] of [...running.waiting]) {
    settle(running, id);
    reject(endedError(why));
  }
}

/** An idle process holds nobody back who wants to end. */
function rest({ child, waiting }: Running): void {
  child.unref();
  if (waiting.size > 0) child.channel?.ref();
  else child.channel?.unref();
}

function endedError(why: string): RepositoryError {
  return new RepositoryError(
    'git-ended',
    `Git's process ended; the engine starts another and tries again. (${why})`,
  );
}
