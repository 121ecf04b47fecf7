import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

export interface Ran {
  readonly seconds: number;
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Last part of what a failed command printed. Characters. */
const SHOWN = 3000;
/** Nothing here takes this long, unless it hangs. */
const TIMEOUT_MS = 600_000;

/** Runs a command to its end; throws with its last lines when it fails. */
export function command(argv: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const [program = '', ...args] = argv;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: 'C.UTF-8', ...options.env },
      timeout: TIMEOUT_MS,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
    child.on('error', reject);
    child.on('close', (code) => {
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ seconds, output });
      else reject(new Error(`${argv.slice(0, 3).join(' ')} ended with ${code}:\n${output.slice(-SHOWN)}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
