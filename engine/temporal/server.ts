/** The embedded Temporal server: the CLI's dev server as a child process, on a database file or in memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { type ExecutableOptions, findTemporal } from './executable.ts';
import { type LogFile, openLogFile } from './log-file.ts';

export interface TemporalOptions extends ExecutableOptions {
  /** SQLite file that survives restarts. Without it everything is in memory. */
  readonly databaseFile?: string;
  /** Default 0: a free port. */
  readonly port?: number;
  /** Of the server's own settings (`--dynamic-config-value`), by name; JSON. */
  readonly dynamicConfig?: Readonly<Record<string, string>>;
  /** Default: beside the database file, or in a temporary folder that `stop` removes. */
  readonly logFile?: string;
  /** Called once if the server ends without `stop`, with its last log lines. */
  readonly onDeath?: (error: TemporalServerError) => void;
}

export interface TemporalServer {
  /** HOST:PORT of the gRPC service. */
  readonly address: string;
  /** Where the executable came from, in words. */
  readonly source: string;
  readonly pid: number;
  readonly logFile: string;
  /** Ends the server; returns when its process is gone. May be called twice. */
  readonly stop: () => Promise<void>;
}

export class TemporalServerError extends Error {
  readonly type = 'temporal-server';
}

const IP = '127.0.0.1';
const NAMESPACE = 'default';
/** Time to serve, ms: 1-2 s alone, more on a busy machine or with a large database. */
const SERVE_DEADLINE_MS = 90_000;
const POLL_MS = 50;
/** A port that was free may be taken when the server binds it. */
const PORT_TRIES = 3;

/**
 * The server is a child of a shell that ends it as soon as the shell's stdin closes: the kernel does that when the
 * engine dies in whatever way, so no server is left behind. It has a session of its own: a Ctrl-C ends the engine,
 * which then ends the server last. What is left of the session at the end (the watcher) ends with it.
 */
const KEEPER = `
exec 4<&0
"$@" </dev/null 3>&- 4<&- & server=$!
echo "$server" >&3
{ read -r _ <&4; kill "$server"; sleep 10; kill -9 "$server"; } 3>&- >/dev/null 2>&1 &
exec 3>&- 4<&-
wait "$server"; code=$?
trap '' TERM; kill -TERM 0
exit "$code"`;

/** Starts a server and returns when it serves. Throws `NoTemporalError` or `TemporalServerError`. */
export async function startTemporal(options: TemporalOptions = {}): Promise<TemporalServer> {
  const executable = await findTemporal(options);
  if (options.databaseFile) await mkdir(dirname(options.databaseFile), { recursive: true });
  const scratch =
    options.logFile || options.databaseFile ? undefined : await mkdtemp(join(tmpdir(), 'doaas-temporal-'));
  const logFile =
    options.logFile ?? (scratch ? join(scratch, 'temporal.log') : `${options.databaseFile}.log`);
  const clean = async (): Promise<void> => {
    if (scratch) await rm(scratch, { recursive: true, force: true });
  };
  for (let attempt = 1; ; attempt += 1) {
    const log = openLogFile(logFile);
    const started = await freePort(options.port ?? 0)
      .then((port) => launch(executable.path, port, log, options))
      .catch(async (error: unknown) => {
        log.close();
        const clash = !options.port && /address already in use/.test(log.tail());
        if (clash && attempt < PORT_TRIES) return undefined;
        await clean();
        throw error;
      });
    if (!started) continue;
    options.progress?.(`Temporal serves at ${started.address}`);
    return {
      address: started.address,
      source: executable.source,
      pid: started.pid,
      logFile,
      stop: async () => {
        await started.stop();
        log.close();
        await clean();
      },
    };
  }
}

export function serverArguments(
  port: number,
  { databaseFile, dynamicConfig = {} }: Pick<TemporalOptions, 'databaseFile' | 'dynamicConfig'>,
): string[] {
  const file = databaseFile
    ? [
        '--db-filename',
        databaseFile,
        '--sqlite-pragma',
        'journal_mode=WAL',
        '--sqlite-pragma',
        'synchronous=NORMAL',
      ]
    : [];
  return [
    'server',
    'start-dev',
    '--headless',
    '--ip',
    IP,
    '--port',
    String(port),
    '--log-format',
    'json',
    ...file,
    ...Object.entries(dynamicConfig).flatMap(([name, value]) => [
      '--dynamic-config-value',
      `${name}=${value}`,
    ]),
  ];
}

async function launch(
  path: string,
  port: number,
  log: LogFile,
  options: TemporalOptions,
): Promise<Pick<TemporalServer, 'address' | 'pid' | 'stop'>> {
  const keeper = spawn('sh', ['-c', KEEPER, 'temporal-keeper', path, ...serverArguments(port, options)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    // Its own settings could point the CLI at another configuration.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR },
  });
  keeper.on('error', () => {});
  for (const stream of [keeper.stdout, keeper.stderr]) stream?.on('data', log.write);
  keeper.stdin?.on('error', () => {});
  let stopping = false;
  const ended = once(keeper, 'close');
  const stop = async (): Promise<void> => {
    stopping = true;
    keeper.stdin?.end();
    await ended;
  };
  const death = (): TemporalServerError =>
    new TemporalServerError(
      `the Temporal server ended (${describeEnd(keeper)}); its log ${log.path} ends with:\n${log.tail()}`,
    );
  const pid = await firstNumber(keeper.stdio[3]);
  try {
    await waitUntilServing(port, () => (keeper.exitCode ?? keeper.signalCode) !== null, death);
  } catch (error) {
    await stop();
    throw error;
  }
  void ended.then(() => {
    if (!stopping) options.onDeath?.(death());
  });
  return { address: `${IP}:${port}`, pid, stop };
}

async function waitUntilServing(port: number, dead: () => boolean, death: () => Error): Promise<void> {
  const deadline = Date.now() + SERVE_DEADLINE_MS;
  for (;;) {
    if (dead()) throw death();
    if (await serves(port)) return;
    if (Date.now() > deadline)
      throw new TemporalServerError(`Temporal did not serve on ${IP}:${port} in time`);
    await pause(POLL_MS);
  }
}

/** Serves means that the default namespace can be asked for, not only that the port is open. */
async function serves(port: number): Promise<boolean> {
  const connection = await Connection.connect({ address: `${IP}:${port}`, connectTimeout: 2000 }).catch(
    () => undefined,
  );
  if (!connection) return false;
  return connection.workflowService
    .describeNamespace({ namespace: NAMESPACE })
    .then(
      () => true,
      () => false,
    )
    .finally(() => connection.close());
}

/**
 * The port if it is free, any free one for 0. Binding it first matters: whoever holds a taken port may be another
 * Temporal, whose answers would look like those of the new server.
 */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      reject(new TemporalServerError(`Temporal cannot serve at ${IP}:${wanted}: ${error.message}`)),
    );
    server.listen(wanted, IP, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : wanted));
    });
  });
}

async function firstNumber(stream: unknown): Promise<number> {
  if (!stream || typeof stream !== 'object' || !('on' in stream)) return 0;
  const readable = stream as NodeJS.ReadableStream;
  const data = await Promise.race([once(readable, 'data'), once(readable, 'close')]);
  return Number(String(data[0] ?? '').trim());
}

function describeEnd(child: ChildProcess): string {
  return child.signalCode ? `signal ${child.signalCode}` : `exit code ${child.exitCode}`;
}
