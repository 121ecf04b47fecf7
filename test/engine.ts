import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { npmStart } from '../engine/cli/npmStart.ts';
import { inRepository } from '../engine/cli/passOn.ts';
import { startEngine } from '../engine/compose.ts';
import { loadConfig } from '../engine/config/config.ts';
import { createLogger } from '../engine/log.ts';
import type { StoreLocation } from '../engine/store/store.ts';
import type { LabGitHub } from '../lab/github/lab-github.ts';
import { recordHistories } from '../scripts/record-histories.ts';
import { until } from './until.ts';

/** `inside`: in this process, fast to start. `process`: a child that a test may kill. */
export type EngineMode = 'inside' | 'process';

export interface EngineHandle {
  readonly url: () => string;
  /** Orderly end. */
  readonly stop: () => Promise<void>;
  /** SIGKILL of the process; only of a child. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same data. `main`: another program than before, of a child. */
  readonly start: (main?: string) => Promise<void>;
  /** Ends every process of it in order, and starts all as ones that see the repositories for the first time. */
  readonly restartAfresh: () => Promise<void>;
  /** Where what it stores can be read beside it. */
  readonly store: StoreLocation;
  /** Client of the Temporal server; of one that belongs to a child there is none. */
  readonly temporal: () => Client;
  /** How many processes of it reach servers. */
  readonly reaching: number;
  /** Process that the engine runs in. */
  readonly pid: () => number;
  /** Waits until the child has ended by itself, and gives its exit code (null: a signal). */
  readonly ended: () => Promise<number | null>;
  /** What the child printed. */
  readonly output: () => string;
}

export interface EngineOptions {
  readonly mode: EngineMode;
  readonly dataDir: string;
  readonly github: LabGitHub;
  readonly secret: string;
  readonly sshKeyFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Arguments before the child's own, such as of a program that gives it a small disk. */
  readonly through?: readonly string[];
  /** Where a child's output goes, too. */
  readonly logFile?: string;
  /** Program of a child; default: this engine. */
  readonly main?: string;
  /** What starts a child instead, in the repository: a program and its arguments. */
  readonly command?: readonly string[];
}

type EngineParts = Pick<EngineOptions, 'dataDir' | 'github' | 'secret' | 'sshKeyFile'>;

/** Three processes that start at once on a busy machine took 45 s and more. */
const START_SECONDS_MAX = 60;

export async function startTestEngine(options: EngineOptions): Promise<EngineHandle> {
  const environment = { ...environmentOf(options, await freePort()), ...options.environment };
  const handle = options.mode === 'inside' ? inside(environment) : child(environment, options);
  await handle.start().catch(async (error: unknown) => {
    await handle.stop();
    throw error;
  });
  const restartAfresh = async (): Promise<void> => {
    await handle.stop();
    await rm(join(options.dataDir, 'mirrors'), { recursive: true });
    await handle.start();
  };
  return { ...handle, restartAfresh };
}

type Alone = Omit<EngineHandle, 'restartAfresh'>;

/** Settings of an engine that talks to the lab. */
export function environmentOf({ dataDir, github, secret, sshKeyFile }: EngineParts, port: number) {
  return {
    DOAAS_DATA_DIR: dataDir,
    DOAAS_PORT: String(port),
    DOAAS_LOG_LEVEL: process.env.DOAAS_TEST_LOG ?? 'warn',
    GITHUB_API_URL: github.url,
    GITHUB_URL: github.url,
    GITHUB_APP_ID: String(github.app.id),
    GITHUB_APP_PRIVATE_KEY: github.app.privateKey,
    GITHUB_WEBHOOK_SECRET: secret,
    DOAAS_GITHUB_WRITES_PER_MINUTE: '1000000',
    // a test that wants vulnerabilities serves its own
    DOAAS_CVE_URL: 'off',
    DOAAS_SSH_KEY_FILE: sshKeyFile,
  };
}

function inside(environment: Readonly<Record<string, string>>): Alone {
  let running: Awaited<ReturnType<typeof startEngine>> | undefined;
  return {
    url: () => running?.url ?? '',
    start: async () => {
      const config = loadConfig(environment);
      running = await startEngine(config, createLogger(config.logLevel), environment);
    },
    stop: async () => {
      if (running?.worker !== undefined && process.env.DOAAS_RECORD_HISTORIES === '1')
        await recordHistories(running.worker.client);
      await running?.stop();
    },
    kill: () => Promise.reject(new Error('an engine inside the test cannot be killed; use mode process')),
    temporal: () => {
      if (running?.worker === undefined) throw new Error('the engine does not run');
      return running.worker.client;
    },
    reaching: 1,
    pid: () => process.pid,
    store: storeOf(environment),
    ended: () => Promise.reject(new Error('an engine inside the test does not end by itself')),
    output: () => '',
  };
}

function child(
  environment: Readonly<Record<string, string>>,
  { logFile, through = [], main, command }: Pick<EngineOptions, 'logFile' | 'through' | 'main' | 'command'>,
): Alone {
  let other = main;
  let running: ChildProcess | undefined;
  let output = '';
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
  const url = `http://127.0.0.1:${environment.DOAAS_PORT}`;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = running;
    running = undefined;
    if (ending === undefined || hasEnded(ending)) return;
    const gone = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(signal);
    await gone;
  };
  return {
    url: () => url,
    store: storeOf(environment),
    temporal: () => {
      throw new Error('the server belongs to the child; use mode inside');
    },
    reaching: 1,
    pid: () => running?.pid ?? 0,
    ended: async () => {
      const ending = running;
      if (ending === undefined) throw new Error('the engine does not run');
      if (!hasEnded(ending)) await once(ending, 'exit');
      return ending.exitCode;
    },
    output: () => output,
    start: async (main) => {
      other = main ?? other;
      const { environment: own, flags, program } = await npmStart();
      const words = command ?? [process.execPath, ...flags, other ?? program];
      // A test or demo that is killed takes its engine with it.
      const started = spawn('setpriv', ['--pdeathsig', 'KILL', ...through, ...words], {
        ...(command === undefined ? {} : { cwd: inRepository('') }),
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...own, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      running = started;
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', (text) => {
          output += String(text);
          log?.write(text);
        });
      await until(
        async () => {
          if (hasEnded(started)) throw new Error(`the engine ended at start: ${output.slice(-2000)}`);
          return (await isReady(url)) ? true : undefined;
        },
        'the engine to be ready',
        START_SECONDS_MAX,
        async () => output.slice(-2000),
      );
    },
    stop: async () => {
      if (running !== undefined && process.env.DOAAS_RECORD_HISTORIES === '1') await recordOf(environment);
      await end('SIGTERM');
    },
    kill: () => end('SIGKILL'),
  };
}

/** What a child did on a Temporal server of its own ends with it. */
async function recordOf({ TEMPORAL_ADDRESS: address }: Readonly<Record<string, string>>): Promise<void> {
  if (address === undefined) return;
  const connection = await Connection.connect({ address });
  await recordHistories(new Client({ connection })).finally(() => connection.close());
}

function storeOf(environment: Readonly<Record<string, string>>): StoreLocation {
  const { DATABASE_URL: url, DOAAS_DATA_DIR: dataDir = '' } = environment;
  return url === undefined ? { file: join(dataDir, 'store.sqlite') } : { url };
}

/** A child that a signal ended has no exit code. */
function hasEnded(started: ChildProcess): boolean {
  return started.exitCode !== null || started.signalCode !== null;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
