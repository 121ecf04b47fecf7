import { simpleGit } from 'simple-git';

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

/** Gives what git printed; rejects with an `Error` in git's own words. */
export type RunGit = (order: GitOrder) => Promise<string>;

/** Starts git from this process. */
export const runGit: RunGit = ({ dir, args, env, input, timeoutMs }) =>
  simpleGit({
    baseDir: dir,
    timeout: { block: SILENCE_TIMEOUT_MS },
    abort: AbortSignal.timeout(timeoutMs),
    // Waiting for `close` only: on `exit` the last output may not have been read yet.
    completion: { onClose: true, onExit: false },
    input: () => input,
    allowEnvironment: Object.keys(env).filter((name) => name.startsWith('GIT_')),
    // Only for the fixed values of `gitIn`: no configuration files, and the header of the token.
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeConfigEnvCount: true },
  })
    .env({ ...env })
    .raw([...args]);
