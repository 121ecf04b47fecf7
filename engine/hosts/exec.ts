import type { Client, ClientChannel } from 'ssh2';
import type { Sh } from '../shell/sh.ts';
import { frame, type ReadyParser, RUN_COMMAND, RUN_COMMAND_SUDO, readyParser } from './bootstrap.ts';
import { HostError } from './host-error.ts';
import { NoMoreSessions, openSession } from './openSession.ts';
import {
  type CappedOutput,
  cappedOutput,
  type LineSplitter,
  lineSplitter,
  OUTPUT_MAX_BYTES,
} from './output.ts';
import type { RunOptions, RunResult } from './session.ts';
import { describeTarget, type HostTarget, needsSudo } from './target.ts';

/** After the shell's end: how long a background process that still holds its output may keep us waiting. */
const DRAIN_AFTER_EXIT_MS = 2_000;

/** For the host to start the shell's process; keepalive alone would not notice an sshd that is stuck. */
const CHANNEL_TIMEOUT_MS = 20_000;
/** For a place among the sessions of a connection; ends before the above. */
const SESSION_WAIT_MS = 15_000;

/** How the channel ended; `undefined` exit means that it was cut. */
export interface Ending {
  readonly exit: { readonly code: number | null; readonly signal: string | null } | undefined;
}

/** One script as it runs. */
export interface Exec {
  readonly ready: ReadyParser;
  readonly ended: Promise<Ending>;
  readonly result: (ending: Ending) => RunResult;
  readonly stderr: CappedOutput;
  readonly close: () => void;
}

export async function startExec(
  client: Client,
  target: HostTarget,
  script: Sh,
  options: RunOptions,
): Promise<Exec> {
  const input = frame(script, options.stdin ?? new Uint8Array());
  const started = performance.now();
  const channel = await openChannel(client, target, needsSudo(target, options.become));
  const max = options.maxOutputBytes ?? OUTPUT_MAX_BYTES;
  const stdout = cappedOutput(max);
  const stderr = cappedOutput(max);
  const ready = readyParser();
  const split = options.onLine === undefined ? undefined : lineSplitter(options.onLine);
  const ended = follow(channel, ready, stdout, stderr, split);
  channel.end(input);
  const result = (ending: Ending): RunResult => ({
    kind: 'run-result',
    exitCode: ending.exit?.code ?? null,
    signal: ending.exit?.signal ?? null,
    stdout: stdout.text(),
    stderr: stderr.text(),
    truncated: stdout.truncated() || stderr.truncated(),
    durationMs: performance.now() - started,
  });
  return { ready, ended, result, stderr, close: () => channel.close() };
}

function openChannel(client: Client, target: HostTarget, sudo: boolean): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    let late = false;
    const fail = (problem: string, cause?: unknown) => {
      late = true;
      clearTimeout(timer);
      const text = `${describeTarget(target)} ${problem} before the script was sent; nothing ran.`;
      reject(new HostError('connection-lost', target.name, text, { cause }));
    };
    const timer = setTimeout(() => fail('gave no shell in time'), CHANNEL_TIMEOUT_MS);
    openSession(client, sudo ? RUN_COMMAND_SUDO : RUN_COMMAND, SESSION_WAIT_MS).then(
      (channel) => {
        clearTimeout(timer);
        if (late) channel.close();
        else resolve(channel);
      },
      (cause: unknown) =>
        fail(cause instanceof NoMoreSessions ? cause.message : 'lost the connection', cause),
    );
  });
}

/** Reads both streams to their end. An exception of `onLine` or of the parser rejects. */
function follow(
  channel: ClientChannel,
  ready: ReadyParser,
  stdout: CappedOutput,
  stderr: CappedOutput,
  split: LineSplitter | undefined,
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let exit: Ending['exit'];
    let drain: NodeJS.Timeout | undefined;
    const guarded = (work: () => void) => {
      try {
        work();
      } catch (error) {
        reject(error);
      }
    };
    channel.on('data', (chunk: Buffer) =>
      guarded(() => {
        const rest = ready.push(chunk);
        stdout.push(rest);
        split?.push(rest);
      }),
    );
    channel.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    channel.on('error', () => {}); // a write to a script that reads no input; its end says the rest
    channel.on('exit', (code: number | null, signal?: string) => {
      exit = { code, signal: signal ?? null };
      drain = setTimeout(() => channel.close(), DRAIN_AFTER_EXIT_MS);
    });
    channel.on('close', () => {
      clearTimeout(drain);
      guarded(() => split?.end());
      resolve({ exit });
    });
  });
}
