import { simpleGit } from 'simple-git';

/** What git may print of one order, bytes: of 10,000 changed files with names of 1,600 bytes each, and then some. */
export const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;
/** A remote that says nothing for this long is given up. */
const SILENCE_TIMEOUT_MS = 60_000;

/** One git process; plain data, so that another process can be asked for it. */
export interface GitOrder {
  readonly dir: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs: number;
}

/** Gives what git printed; rejects with an `Error` in git's own words, or in `TOO_MUCH` where it printed more than `OUTPUT_MAX_BYTES`. */
export type RunGit = (order: GitOrder) => Promise<string>;

export const TOO_MUCH = `git printed more than ${OUTPUT_MAX_BYTES / 1024 / 1024} MiB`;

/** Starts git from this process. */
export const runGit: RunGit = async ({ dir, args, env, input, timeoutMs }) => {
  const tooMuch = new AbortController();
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > OUTPUT_MAX_BYTES) tooMuch.abort();
  };
  const git = simpleGit({
    baseDir: dir,
    timeout: { block: SILENCE_TIMEOUT_MS },
    abort: AbortSignal.any([tooMuch.signal, AbortSignal.timeout(timeoutMs)]),
    // Waiting for `close` only: on `exit` the last output may not have been read yet.
    completion: { onClose: true, onExit: false },
    input: () => input,
    allowEnvironment: Object.keys(env).filter((name) => name.startsWith('GIT_')),
    // Only for the fixed values of `gitIn`: no configuration files, and the header of the token.
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeConfigEnvCount: true },
  })
    .env({ ...env })
    .outputHandler((_, ...streams) => {
      for (const stream of streams.slice(0, 2) as NodeJS.ReadableStream[]) stream.on('data', count);
    });
  try {
    return await git.raw([...args]);
  } catch (error) {
    throw tooMuch.signal.aborted ? new Error(TOO_MUCH) : error;
  }
};
