import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  /** Called with every line of stdout as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  /** Exit code; -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Most that is kept of one stream, bytes. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export class CommandError extends Error {
  readonly type = 'command-failed';
  readonly result: RunResult;
  constructor(argv: readonly string[], result: RunResult) {
    const tail = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-8).join('\n');
    super(`\`${argv.join(' ').slice(0, 300)}\` ended with ${result.code}: ${tail || 'no output'}`);
    this.result = result;
  }
}

/** Runs an argument vector (never a shell line) on this machine and returns how it ended. */
export function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      ...(options.timeoutMs === undefined
        ? {}
        : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    const out = collect(child.stdout, options.onLine);
    const err = collect(child.stderr);
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => resolve({ code: 127, stdout: '', stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, stdout: out(), stderr: err() }));
  });
}

/** Like `tryRun`, but any exit code other than 0 throws a `CommandError`. Returns stdout. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryRun(argv, options);
  if (result.code !== 0) throw new CommandError(argv, result);
  return result.stdout;
}

function collect(stream: NodeJS.ReadableStream, onLine?: (line: string) => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    if (bytes < MAX_OUTPUT_BYTES) chunks.push(chunk);
    bytes += chunk.length;
    if (!onLine) return;
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) onLine(part);
  });
  return () => Buffer.concat(chunks).toString();
}
