import type { Duplex } from 'node:stream';
import type { Sh } from '../shell/sh.ts';
import type { Memory } from './memory.ts';
import type { HostTarget } from './target.ts';

export interface RunOptions {
  /** What the script finds on its standard input; its size is in `$DOAAS_STDIN_BYTES`, so a cut can be noticed. */
  readonly stdin?: Uint8Array;
  readonly timeoutSeconds: number;
  /** Bound of stdout and of stderr, each. Default 1 MiB. What is over it is read and dropped. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
  /** Called for each line of stdout as it comes, without its newline, cut at 16 KiB. */
  readonly onLine?: (line: string) => void;
  /** False runs as the login user although the target says `become: sudo`. */
  readonly become?: boolean;
}

export interface RunResult {
  readonly kind: 'run-result';
  /** Null when a signal ended the script. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** True when stdout or stderr was longer than the bound. */
  readonly truncated: boolean;
  readonly durationMs: number;
}

/** One host for the length of a `withSession`. All failures are `HostError`; an exit code is a result, not a failure. */
export interface Session {
  readonly target: HostTarget;
  /** `10.0.0.5:22 SHA256:...`: address, port and the verified host key's fingerprint. */
  readonly identity: string;
  /** What hosts answered before, while this process has run. */
  readonly memory: Memory;
  readonly run: (script: Sh, options: RunOptions) => Promise<RunResult>;
  /**
   * A TCP connection made by the host, so `localhost` is the host itself. The caller destroys it. `timeoutMs`: for one that is made only to
   * look: `port-closed` after it. Where sshd forbids forwarding that one waits for a place first, as `run` does, and holds it.
   */
  readonly connect: (address: string, port: number, timeoutMs?: number) => Promise<Duplex>;
}

export interface Transport {
  /** Connects, or shares the connection that is open; the connection stays open for a while afterwards. */
  readonly withSession: <T>(target: HostTarget, use: (session: Session) => Promise<T>) => Promise<T>;
  /** A connection of its own, made now and closed afterwards, as somebody who was not connected yet would get one; that of a jump host is shared. */
  readonly withFreshSession: <T>(target: HostTarget, use: (session: Session) => Promise<T>) => Promise<T>;
  /** Closes idle connections now and busy ones when their last session ends. */
  readonly empty: () => Promise<void>;
  /** Closes everything at once; running scripts end with `connection-lost`. */
  readonly close: () => Promise<void>;
}
