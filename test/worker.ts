import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabGitHub } from '../lab/github/lab-github.ts';
import { ENGINE } from '../scripts/bundle.ts';
import { environmentOf } from './engine.ts';
import { SECRET } from './secret.ts';
import { until } from './until.ts';

/** A process without HTTP: a worker, or the worker of a site. */
export interface WorkerProcess {
  readonly pid: number;
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Whether it runs no more, by itself or because it was ended. */
  readonly hasEnded: () => boolean;
  /** What it printed. */
  readonly output: () => string;
}

export interface WorkerOptions {
  readonly github: LabGitHub;
  readonly sshKeyFile: string;
  /** What all processes share, and the role. */
  readonly environment: Readonly<Record<string, string>>;
  /** Arguments before the worker's own, such as of a program that puts it into a network. */
  readonly through?: readonly string[];
  /** Where its output goes, too. */
  readonly logFile?: string;
}

/** Starts it on a data directory of its own, which goes with it; returns when it is up. */
export async function startWorkerProcess(options: WorkerOptions): Promise<WorkerProcess> {
  const { github, sshKeyFile, environment, through = [], logFile } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'doaas-worker-'));
  const parts = { dataDir, github, secret: SECRET, sshKeyFile };
  const node = [process.execPath, ENGINE];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...through, ...node], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...environmentOf(parts, 0),
      DOAAS_LOG_LEVEL: 'info',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += String(text);
      log?.write(text);
    });
  const end = (signal: NodeJS.Signals) => async (): Promise<void> => {
    if (!hasEnded(child)) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await until(
      async () => {
        if (hasEnded(child)) throw new Error(`the worker ended at start: ${output.slice(-2000)}`);
        return output.includes('the engine is up') ? true : undefined;
      },
      'a worker to be up',
      90,
      async () => output.slice(-2000),
    );
  } catch (error) {
    await end('SIGKILL')();
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    kill: end('SIGKILL'),
    stop: end('SIGTERM'),
    hasEnded: () => hasEnded(child),
    output: () => output,
  };
}

/** A child that a signal ended has no exit code. */
function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
